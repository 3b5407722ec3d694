import { z } from 'zod'

const Box = z.strictObject({
  ramMiB: z.int().min(512).max(1_048_576),
  vcpus: z.int().positive(),
  storage: z.enum(['ssd', 'hdd']),
  sessions: z.int().nonnegative(),
})

/** A box that runs a Node.js app, PostgreSQL and nginx together. */
export interface Box {
  /** Memory as the provider names it, in MiB: 2048 for a t3.small, of which Linux has about 1930. At least 512. */
  readonly ramMiB: number
  readonly vcpus: number
  readonly storage: 'ssd' | 'hdd'
  /** Active sessions that the app keeps at the same time. The guide counts WhatsApp sessions: 5 to 10 on a t3.small. */
  readonly sessions: number
}

/** Params of `t3Small` and its kin: `t3Small(size({ ramMiB: 8192, vcpus: 2, storage: 'ssd', sessions: 40 }))`. */
export type Sizing = ReturnType<typeof size>

/**
 * The settings for a box. For 2048 MiB, 2 vCPUs, SSD and up to 10 sessions they are the numbers of the t3.small guide; its shares of
 * the memory are kept for any other. Each rule names its source: [G1] is section 1 of the guide.
 * @throws RangeError for a box that is none
 */
export function size(box: Box) {
  const { error } = Box.safeParse(box)
  if (error)
    throw new RangeError(
      `size({ ... }): ${error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
    )
  const { ramMiB, vcpus, storage, sessions } = box
  return {
    pm2: pm2(ramMiB),
    postgres: { ...postgres(ramMiB, storage, sessions), ...parallel(vcpus) },
    // [G4] as much as the RAM. More than 4 GiB is disk that nobody should come to use: at swappiness 10 it is for spikes.
    swap: { size: mebibytes(Math.min(ramMiB, 4096)) },
    // "For More Users (10-20 sessions)": enable nginx caching.
    nginx: { cache: sessions > 10 },
  }
}

function pm2(ramMiB: number) {
  // [G1] 850 MB of 2 GB, in steps of 50.
  const restartMiB = Math.floor((ramMiB * 850) / 2048 / 50) * 50
  return {
    // [G1] one. More would open the same session twice: PM2's cluster mode is for apps that keep no state in the process
    // (pm2.keymetrics.io, "Stateless apps").
    instances: 1,
    max_memory_restart: mebibytes(restartMiB),
    // [G1] half of the memory, 1024 MB of 2 GB, which is above the restart limit and so can never act. On larger boxes, of which the
    // guide says nothing, four fifths of the limit: V8 collects harder near its cap (nodejs.org, --max-old-space-size), and buffers,
    // code and stacks live outside of it.
    max_old_space_size: ramMiB <= 2048 ? Math.floor(ramMiB / 2) : Math.floor((restartMiB * 4) / 5),
  }
}

function postgres(ramMiB: number, storage: Box['storage'], sessions: number) {
  // [G3] PostgreSQL's share of the box: 512 MB of 2 GB.
  const shareMiB = Math.floor(ramMiB / 4)
  // [G2] "25% of RAM for DB". PostgreSQL's manual (20.4, shared_buffers): 25% of the memory of a dedicated server.
  const sharedMiB = Math.floor(shareMiB / 4)
  return {
    shared_buffers: megabytes(sharedMiB),
    // [G2] "expected OS cache". The manual (20.7, effective_cache_size): what is left for one query to be cached in.
    effective_cache_size: megabytes(shareMiB),
    // [G2] 32 MB of 2 GB. The manual (20.4): up to autovacuum_max_workers times this may be taken at once.
    maintenance_work_mem: megabytes(Math.max(1, Math.floor(ramMiB / 64))),
    // [G2] 2 MB of 2 GB. The manual (20.4): for each sort or hash of each session, so it grows with memory and not with sessions.
    work_mem: megabytes(Math.max(1, Math.floor(ramMiB / 1024))),
    // [G2] 50 for 5 to 10 sessions; "For more users (10-20 sessions)": 75; as much again for each further ten.
    max_connections: 50 + 25 * Math.ceil(Math.max(0, sessions - 10) / 10),
    // [G2] and the manual's own default (20.5).
    checkpoint_completion_target: 0.9,
    // [G2] 4 MB, which is the manual's own rule (20.5, wal_buffers -1): 1/32 of shared_buffers, at most a WAL segment of 16 MB.
    wal_buffers: megabytes(Math.min(16, Math.max(1, Math.floor(sharedMiB / 32)))),
    // [G2] for SSD. The manual's defaults for disks that turn (20.7, 20.4).
    random_page_cost: storage === 'ssd' ? 1.1 : 4,
    effective_io_concurrency: storage === 'ssd' ? 200 : 1,
  }
}

/** The guide sets none for 2 vCPUs. The manual's defaults (20.4: 8, and 2 for a query) are for 8; more workers than cores only wait. */
function parallel(vcpus: number) {
  if (vcpus < 4) return {}
  return { max_parallel_workers: vcpus, max_parallel_workers_per_gather: Math.min(4, Math.ceil(vcpus / 2)) }
}

const mebibytes = (amount: number) => (amount % 1024 === 0 ? (`${amount / 1024}G` as const) : (`${amount}M` as const))
const megabytes = (amount: number) => `${amount}MB` as const
