import { type Footprint, type HostFacts, sizeBytes } from 'sak-reconcile'
import { heapCapMiB } from './heap-cap.ts'
import type { App, Params } from './params.ts'

/** Each process may grow to its restart limit, or where it has none to the cap of its heap; with neither nobody knows. */
export function footprint({ apps }: Params, { cores }: HostFacts): Footprint {
  const parts = apps.map(app => partOf(app, cores))
  return { MiB: parts.reduce((sum, { MiB }) => sum + MiB, 0), what: parts.map(({ what }) => what).join('; ') }
}

function partOf(app: App, cores: number): Footprint {
  const instances = app.instances === 'max' ? cores : app.instances
  const limit = app.max_memory_restart ? sizeBytes(app.max_memory_restart) / 1024 ** 2 : heapCapMiB(app)
  if (limit === undefined) return { MiB: 0, what: `${app.name}: has no limit, and is not counted` }
  const of = app.max_memory_restart ? 'max_memory_restart' : '--max-old-space-size'
  return { MiB: instances * limit, what: `${app.name}: ${instances} x ${of} ${Math.ceil(limit)}` }
}
