import type { Connection } from '../core/connection.ts'
import { type HostReport, hostStatus, type ReportError } from '../core/report.ts'
import type { Task } from '../core/task.ts'
import { noSecrets, type Vault } from '../core/vault.ts'
import { type Applied, type ApplyOptions, applyHost, type HostAtHand, type HostPlan, planHost } from './apply.ts'
import { batchReads, HostLost, type Reader } from './batch.ts'
import { lockHost } from './host-lock.ts'
import { interruptedError } from './journal.ts'
import { reportError, reportTask } from './report-task.ts'
import { sealedReader, sealedTask } from './secrets.ts'

/** Milliseconds that one trip of reads may take. */
const tripDeadlineMs = 180_000

export interface HostRun {
  readonly name: string
  readonly tasks: readonly Task[]
  readonly mode: 'dry-run' | 'apply'
  readonly options: ApplyOptions
  /** Of the tasks. The report has their names in the place of their values. Default: none. */
  readonly secrets?: Vault
  /** How long an apply waits for another run to end. */
  readonly lockWaitSeconds: number
  /** Milliseconds for the host as a whole. Then nothing new starts there; steps that run end or undo themselves. */
  readonly deadlineMs: number
}

/** What a run on a host gave: the report, and for a dry run the plan that it was made from. */
export interface HostOutcome {
  readonly report: HostReport
  readonly plan?: HostPlan
}

/** Plans or applies on one host. Whatever goes wrong there is in the report; it does not throw. */
export async function runHost(run: HostRun, connect: () => Promise<Connection>): Promise<HostOutcome> {
  const { secrets = noSecrets } = run
  const tasks = run.tasks.map(task => sealedTask(task, secrets))
  const started = performance.now()
  const readers: Reader[] = []
  const late = AbortSignal.timeout(run.deadlineMs)
  const signal = run.options.signal ? AbortSignal.any([run.options.signal, late]) : late
  const errorOf = (error: unknown): ReportError => {
    const found = reportError(run.name, error)
    if (found.code !== 'interrupted' || !late.aborted) return found
    const message = `did not finish within ${run.deadlineMs / 1000} s`
    return { ...found, code: 'timeout', message, hint: 'the host hangs or is slow: look at its load' }
  }
  const finish = ({ results, budget }: Applied, error: ReportError | null, unreachable: boolean): HostOutcome => {
    const tasks = results.map(result => reportTask(run.name, result))
    const status = error ? statusOf(error, unreachable) : hostStatus(tasks)
    const durationMs = Math.round(performance.now() - started)
    const roundTrips = readers.reduce((sum, reader) => sum + reader.trips(), 0)
    const report = { name: run.name, status, durationMs, roundTrips, ...(budget && { budget }), tasks, error }
    return { report: secrets.hide(report) }
  }
  let connection: Connection
  try {
    connection = await connect()
  } catch (error) {
    return finish(nothing, errorOf(error), true)
  }
  try {
    const freshReader = (lasting?: 'lasting') => {
      const reader = batchReads(connection, { deadlineMs: tripDeadlineMs, ...(lasting ? {} : { signal }) })
      readers.push(reader)
      return sealedReader(reader, secrets)
    }
    const host = { connection, freshReader, secrets }
    if (run.mode === 'apply')
      return finish(await applyLocked(host, { ...run, tasks, options: { ...run.options, signal } }), null, false)
    const plan = await planHost(host, tasks, run.options)
    const [first] = plan.interrupted
    return { ...finish(plan, first ? reportError(run.name, interruptedError(first)) : null, false), plan }
  } catch (error) {
    return finish(nothing, errorOf(error), error instanceof HostLost)
  } finally {
    await connection.close()
  }
}

const nothing: Applied = { results: [], budget: undefined }

function statusOf(error: ReportError, unreachable: boolean): HostReport['status'] {
  if (unreachable) return 'unreachable'
  return error.code === 'interrupted' ? 'interrupted' : 'failed'
}

/** From the check to the verification the host is ours. */
async function applyLocked(host: HostAtHand, { tasks, options, lockWaitSeconds }: HostRun) {
  const lock = await lockHost(host.connection, { runId: options.runId, waitSeconds: lockWaitSeconds })
  try {
    return await applyHost(host, tasks, options)
  } finally {
    await lock.release()
  }
}
