import { type Advised, noAdvice } from '../core/advise.ts'
import type { Budget } from '../core/budget.ts'
import type { Connection } from '../core/connection.ts'
import { after } from '../core/deadline.ts'
import type { Intent } from '../core/drift.ts'
import { isSakError, SakError } from '../core/errors.ts'
import { type HostReport, hostStatus, type ReportError } from '../core/report.ts'
import type { Task } from '../core/task.ts'
import { noSecrets, type Vault } from '../core/vault.ts'
import { batchReads, HostLost } from './batch.ts'
import { type CountedConnection, countTrips } from './counted.ts'
import { intentsOf } from './intent.ts'
import type { HostAtHand, HostPlan } from './plan-host.ts'
import { reportError, reportTask } from './report-task.ts'
import { sealedReader, sealedTask } from './secrets.ts'
import type { TaskResult } from './task-result.ts'

/** Milliseconds that one trip of reads may take. */
const tripDeadlineMs = 180_000

/** What work on a host came to. */
export interface Done {
  readonly results: readonly TaskResult[]
  readonly budget: Budget | undefined
  readonly advised: Advised
  /** What is wrong with the host as a whole. */
  readonly error?: ReportError
  /** Where it only looked: the plan. */
  readonly plan?: HostPlan
}

/** Looks at a host, or changes it. Once the signal is aborted nothing new starts. */
export type Work = (host: HostAtHand, tasks: readonly Task[], signal: AbortSignal) => Promise<Done>

export interface HostRun {
  readonly name: string
  readonly tasks: readonly Task[]
  readonly work: Work
  /** Of the tasks. The report has their names in the place of their values. Default: none. */
  readonly secrets?: Vault
  /** Milliseconds for the host as a whole. Then nothing new starts there; steps that run end or undo themselves. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal
}

/** What a run on a host gave: the report, for a dry run the plan that it was made from, and what its tasks were meant to do. */
export interface HostOutcome {
  readonly report: HostReport
  readonly advised: Advised
  readonly plan?: HostPlan
  readonly intents: Readonly<Record<string, Intent>>
}

/** Does work on one host. Whatever goes wrong there is in the report; it does not throw. */
export async function runHost(run: HostRun, connect: () => Promise<Connection>): Promise<HostOutcome> {
  const { secrets = noSecrets } = run
  const sealed = run.tasks.map(task => sealedTask(task, secrets))
  const started = performance.now()
  const late = after(run.deadlineMs, tooLate(run.deadlineMs))
  const signal = run.signal ? AbortSignal.any([run.signal, late]) : late
  const errorOf = (error: unknown): ReportError => {
    const found = reportError(run.name, error)
    const { reason } = signal
    if (found.code !== 'interrupted' || !isSakError(reason)) return found
    return { ...found, code: reason.code, message: reason.message, hint: reason.hint ?? null }
  }
  const finish = ({ results, budget, advised, error = null, plan }: Outcome, unreachable = false): HostOutcome => {
    const tasks = results.map(result => reportTask(run.name, result))
    const status = error ? statusOf(error, unreachable) : hostStatus(tasks)
    const durationMs = Math.round(performance.now() - started)
    const roundTrips = counted?.trips() ?? 0
    const report = { name: run.name, status, durationMs, roundTrips, ...(budget && { budget }), tasks, error }
    const seen = secrets.hide({ report, advised })
    return { ...seen, ...(plan && { plan }), intents: intentsOf(results) }
  }
  let counted: CountedConnection | undefined
  try {
    counted = countTrips(await connect(), run.name)
  } catch (error) {
    return finish({ ...nothing, error: errorOf(error) }, true)
  }
  const connection = counted
  try {
    const freshReader = (lasting?: 'lasting') => {
      const reader = batchReads(connection, {
        host: run.name,
        deadlineMs: tripDeadlineMs,
        ...(lasting ? {} : { signal }),
      })
      return sealedReader(reader, secrets)
    }
    return finish(await run.work({ connection, freshReader, secrets }, sealed, signal))
  } catch (error) {
    return finish({ ...nothing, error: errorOf(error) }, error instanceof HostLost)
  } finally {
    await connection.close()
  }
}

const tooLate = (deadlineMs: number) =>
  new SakError('timeout', `did not finish within ${deadlineMs / 1000} s`, {
    hint: 'the host hangs or is slow: look at its load',
  })

type Outcome = Omit<Done, 'error'> & { readonly error?: ReportError | null }

export const nothing: Done = { results: [], budget: undefined, advised: noAdvice }

function statusOf(error: ReportError, unreachable: boolean): HostReport['status'] {
  if (unreachable) return 'unreachable'
  return error.code === 'interrupted' ? 'interrupted' : 'failed'
}
