import pLimit from 'p-limit'
import { isSakError } from './core/errors.ts'
import type { HostReport, RunEvent } from './core/report.ts'
import { batchesOf, hasFailed, isNotStarted, mostFailures, notStarted, type RolloutOptions } from './core/rollout.ts'
import { probe } from './health.ts'
import type { Job } from './jobs.ts'

export interface Rollout extends RolloutOptions {
  /** Hosts at once. */
  readonly forks: number
  /** Plans or applies on one host. Does not throw. */
  readonly run: (job: Job) => Promise<HostReport>
  readonly emit: (event: RunEvent) => void
  readonly signal?: AbortSignal
}

/** Goes from batch to batch, and starts no further host once too many have failed, or a batch is not healthy. */
export async function rollOut(jobs: readonly Job[], rollout: Rollout): Promise<readonly HostReport[]> {
  const { run, emit, health, signal } = rollout
  const limit = pLimit(rollout.forks)
  const stop = stopWhen(mostFailures(rollout, jobs.length))
  const runOrSkip = async (job: Job): Promise<HostReport> => {
    const why = signal?.aborted ? endOf(signal) : stop.why()
    if (why !== undefined) return skip(job, why, emit)
    const report = await run(job)
    stop.note(report)
    if (!health) emit({ type: 'host', report })
    return report
  }
  const reports: HostReport[] = []
  for (const batch of batchesOf(jobs, rollout.serial)) {
    const done = await Promise.all(batch.map(job => limit(runOrSkip, job)))
    if (!health) {
      reports.push(...done)
      continue
    }
    const judged = await withHealth(batch, done, rollout)
    for (const report of judged) {
      if (!isNotStarted(report)) emit({ type: 'host', report })
      if (report.error?.code === 'unhealthy') stop.unhealthy(report)
    }
    reports.push(...judged)
  }
  return reports
}

const endOf = ({ reason }: AbortSignal) => (isSakError(reason) ? reason.message : 'the run was interrupted')

function skip({ host }: Job, why: string, emit: Rollout['emit']): HostReport {
  const report = notStarted(host.name, why)
  emit({ type: 'host', report })
  return report
}

/** Counts failures, and says why no further host may start. */
function stopWhen(most: number) {
  const failed: string[] = []
  let sick: string | undefined
  return {
    note: (report: HostReport) => void (hasFailed(report) && failed.push(report.name)),
    unhealthy: (report: HostReport) => {
      sick ??= report.name
    },
    why: () => {
      if (sick !== undefined) return `${sick} is not healthy`
      if (failed.length <= most) return undefined
      const names = failed.slice(0, 3).join(', ') + (failed.length > 3 ? ` and ${failed.length - 3} more` : '')
      return `${names} failed, and at most ${most} may`
    },
  }
}

/** The reports of a batch, those of hosts that are not healthy as failed. Hosts that failed before are not asked. */
async function withHealth(
  batch: readonly Job[],
  reports: readonly HostReport[],
  { health, emit, signal }: Rollout,
): Promise<readonly HostReport[]> {
  const well = batch.filter((_, index) => {
    const report = reports[index]
    return report && !hasFailed(report) && !isNotStarted(report)
  })
  if (!health || well.length === 0 || signal?.aborted) return reports
  emit({ type: 'health', hosts: well.map(job => job.host.name) })
  const whys = await probe(
    well.map(job => job.host),
    health,
    signal,
  )
  return reports.map(report => {
    const why = whys.get(report.name)
    if (why === undefined) return report
    const error = { code: 'unhealthy', message: why, host: report.name, task: null, step: null, said: null }
    const hint = 'its tasks were applied and verified, and are not undone'
    return { ...report, status: 'failed', error: { ...error, rollback: 'none', hint } }
  })
}
