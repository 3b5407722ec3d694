import { nodeBox } from './node-box.ts'
import { size } from './size.ts'

/** A t3.medium (2 vCPU, 4 GB RAM), the upgrade that the guide names for more than 10 active sessions: up to 20 of them. */
export const t3Medium = nodeBox(
  't3-medium',
  'A t3.medium with up to 20 active sessions.',
  size({ ramMiB: 4096, vcpus: 2, storage: 'ssd', sessions: 20 }),
)

export default t3Medium
