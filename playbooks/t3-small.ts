import { nodeBox } from './node-box.ts'
import { size } from './size.ts'

/**
 * A t3.small box (2 vCPU, 2 GB RAM) that runs a Node.js API under PM2 with PostgreSQL and nginx, as the guide sets it.
 * `t3Small()` is the guide's own box; every number can be overridden: `t3Small({ postgres: { max_connections: 75 } })`.
 */
export const t3Small = nodeBox(
  't3-small',
  'A t3.small with up to 10 active sessions.',
  size({ ramMiB: 2048, vcpus: 2, storage: 'ssd', sessions: 10 }),
)

export default t3Small
