import { z } from 'zod'

/** What a task was meant to do, as digests: tells a change of the playbook from one of the host. */
export const Intent = z.object({
  /** Of the module's name and params. */
  params: z.string(),
  /** Of what each key should be. */
  desired: z.record(z.string(), z.string()),
})
export type Intent = z.infer<typeof Intent>
