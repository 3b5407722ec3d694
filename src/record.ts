import { checkOptions } from './check-options.ts'
import { isSakError, type SakError } from './core/errors.ts'
import type { KnownFacts } from './core/facts.ts'
import type { Report } from './core/report.ts'
import { readFacts } from './engine/facts.ts'
import { nothing } from './engine/host.ts'
import { recordTask } from './engine/record.ts'
import { jobsOf } from './jobs.ts'
import type { RunOptions } from './run.ts'
import { runJobs } from './run-jobs.ts'
import { withSecrets } from './secrets.ts'
import { type MadeCase, recordCase } from './testing/record-case.ts'
import { version } from './version.ts'

/** The case of a task on a host, or why it could not be recorded. */
export interface RecordedCase {
  readonly host: string
  readonly module: string
  readonly label: string
  readonly made: MadeCase | SakError
}

/** Checks the tasks of a playbook on its hosts, changes nothing, and answers what the hosts said as cases for `runCases`. */
export async function record(options: RunOptions): Promise<{ report: Report; cases: readonly RecordedCase[] }> {
  checkOptions(options)
  const cases: RecordedCase[] = []
  const jobs = jobsOf({ ...options, dryRun: true })
  const report = await withSecrets(jobs, options, run =>
    runJobs(jobs, {
      ...run,
      mode: 'dry-run',
      work: job => async (host, tasks) => {
        const { ask } = host.freshReader()
        const [facts, ...recordings] = await Promise.all([readFacts(ask), ...tasks.map(task => recordTask(task, ask))])
        const origin = originOf(facts)
        for (const recording of recordings) {
          const { module, label } = recording.task
          const made = await recordCase(recording, origin).catch(orSakError)
          cases.push({ host: job.host.name, module, label, made })
        }
        return nothing
      },
    }),
  )
  return { report, cases }
}

/** When, by what and from what system something was recorded. */
export function originOf(facts: KnownFacts): string {
  const system = [facts['os.id'], facts['os.version'], facts.arch].filter(Boolean).join(' ')
  return `recorded on ${new Date().toISOString().slice(0, 10)} by sak-reconcile ${version()}: ${system}`
}

function orSakError(error: unknown): SakError {
  if (isSakError(error)) return error
  throw error
}
