import { type AdoptedPlaybook, adoptedCode } from './adopted-code.ts'
import { checkOptions } from './check-options.ts'
import { SakError } from './core/errors.ts'
import { selectHosts } from './core/host-pattern.ts'
import type { Module } from './core/module.ts'
import type { Report } from './core/report.ts'
import { adoptModule } from './engine/adopt.ts'
import { readFacts } from './engine/facts.ts'
import { nothing } from './engine/host.ts'
import { inventoryFor } from './jobs.ts'
import { originOf } from './record.ts'
import type { RunOptions } from './run.ts'
import { runJobs } from './run-jobs.ts'
import { withSecrets } from './secrets.ts'

/** Asks one host what it has today, changes nothing, and answers the source of a playbook that finds it in sync; none where it could not be asked. */
export async function adopt(
  options: RunOptions,
  modules: readonly Module[],
): Promise<{ report: Report; playbook: AdoptedPlaybook | undefined }> {
  checkOptions(options)
  const hosts = selectHosts(inventoryFor({ ...options, dryRun: true }), options.limit ?? 'all')
  const [host] = hosts
  if (host === undefined || hosts.length > 1) {
    const hint = `take one with --limit: ${hosts.map(({ name }) => name).join(', ')}`
    throw new SakError('usage', `a playbook is written from one host, and there are ${hosts.length}`, { hint })
  }
  let playbook: AdoptedPlaybook | undefined
  const jobs = [{ host, tasks: [], whole: [] }]
  const report = await withSecrets(jobs, options, run =>
    runJobs(jobs, {
      ...run,
      mode: 'dry-run',
      work: () => async connected => {
        const { ask } = connected.freshReader()
        const able = modules.filter(module => module.adopt !== undefined)
        const [facts, ...adoptions] = await Promise.all([
          readFacts(ask),
          ...able.map(module => adoptModule(module, ask)),
        ])
        playbook = adoptedCode(host.name, `${host.name}, ${originOf(facts)}`, adoptions)
        return nothing
      },
    }),
  )
  return { report, playbook }
}
