import type { Adopted, Host } from 'sak-reconcile'
import type { z } from 'zod'
import { readEngine } from './engine.ts'
import type { Params } from './params.ts'

/** A task for each project that has containers, with the limits that its files set. */
export async function adopt(host: Host): Promise<Adopted<z.input<typeof Params>>> {
  const engine = await readEngine(host)
  if ('kind' in engine) throw engine.error
  const projects = new Map(engine.containers.map(({ files }) => [files.join('\n'), files]))
  const { limitsIn } = await import('./limits.ts')
  const found = await Promise.all(
    [...projects.values()].map(async paths => {
      const files = await Promise.all(paths.map(path => host.file(path)))
      const services = limitsIn(files)
      const [only] = paths
      if (only === undefined || Object.keys(services).length === 0) return []
      return [{ file: paths.length === 1 ? only : [...paths], services }]
    }),
  )
  if (projects.size === 0) return 'there are no containers of compose'
  const tasks = found.flat()
  return tasks.length > 0 ? tasks : 'no compose file of a container sets a limit'
}
