import { nodeBox } from './node-box.ts'
import { size } from './size.ts'

/** A t3.small with 10 to 20 active sessions: as `t3Small`, with 75 connections to PostgreSQL and nginx's cache on. */
export const t3SmallBusy = nodeBox(
  't3-small-busy',
  'A t3.small with 10 to 20 active sessions.',
  size({ ramMiB: 2048, vcpus: 2, storage: 'ssd', sessions: 20 }),
)

export default t3SmallBusy
