import type { Footprint } from 'sak-reconcile'
import type { Params } from './params.ts'

/** Each container may grow to its limit; one without a limit is not counted, since nobody knows. */
export function footprint({ services }: Params): Footprint {
  const parts = Object.entries(services).map(([service, { memory, replicas }]) => {
    if (memory === undefined) return { MiB: 0, what: `${service}: has no limit, and is not counted` }
    const MiB = memory / 1024 ** 2
    return { MiB: replicas * MiB, what: `${service}: ${replicas} x ${Math.ceil(MiB)}` }
  })
  return { MiB: parts.reduce((sum, { MiB }) => sum + MiB, 0), what: parts.map(({ what }) => what).join('; ') }
}
