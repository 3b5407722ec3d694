import { definePlaybook } from 'sak-reconcile'
export const t3Small = definePlaybook({ name: 't3-small', tasks: () => [] })
export default t3Small
