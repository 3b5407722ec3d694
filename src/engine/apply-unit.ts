import type { Connection } from '../core/connection.ts'
import { isSakError, SakError } from '../core/errors.ts'
import type { Task } from '../core/task.ts'
import type { Vault } from '../core/vault.ts'
import { mergeSteps } from './merge-steps.ts'
import type { TaskResult } from './task-result.ts'
import { type Outcome, runTransaction } from './transaction.ts'

export interface UnitOptions {
  readonly runId: string
  /** Where it stands among the tasks of the host: orders the journals. */
  readonly index: number
  readonly onTask?: (task: Task) => void
  readonly secrets?: Vault | undefined
}

/** Applies what goes together, or a single task: one transaction of the steps of all that differ. */
export async function applyUnit(
  connection: Connection,
  unit: readonly TaskResult[],
  { runId, index, onTask, secrets }: UnitOptions,
): Promise<readonly TaskResult[]> {
  const differing = unit.filter(({ status }) => status === 'drift')
  if (differing.length === 0) return unit
  for (const { task } of differing) onTask?.(task)
  const merged = mergeSteps(differing.map(({ steps }) => steps))
  const done = await tellOf(differing, () =>
    runTransaction(
      connection,
      merged.map(({ step }) => step),
      { name: `${runId}-${index}`, tasks: differing.map(({ task }) => task.label) },
      secrets,
    ),
  )
  return unit.map(result => done[differing.indexOf(result)] ?? result)
}

async function tellOf(differing: readonly TaskResult[], act: () => Promise<Outcome>): Promise<readonly TaskResult[]> {
  try {
    const outcome = await act()
    if (outcome.kind === 'committed') return differing.map(result => ({ ...result, status: 'changed' }))
    return differing.map(result => failed(result, outcome, differing))
  } catch (error) {
    if (!isSakError(error)) throw error
    const lost = new SakError(error.code, `${error.message}, while steps were running`, {
      hint: 'the host goes on without us, to the end or back: run again to see which',
      ...(error.said !== undefined && { said: error.said }),
      cause: error,
    })
    return differing.map(result => ({ ...result, status: 'failed', errors: [lost], rollback: 'failed' }))
  }
}

/** The task whose step failed says so; the others say that they were undone with it. */
function failed(
  result: TaskResult,
  { error, step, rollback }: Extract<Outcome, { kind: 'failed' }>,
  all: readonly TaskResult[],
): TaskResult {
  const status = error.code === 'needs-root' ? 'blocked' : 'failed'
  if (!step) return { ...result, status, errors: [error], rollback }
  if (result.steps.includes(step)) return { ...result, status, errors: [error], rollback, step }
  const culprits = all.filter(({ steps }) => steps.includes(step)).map(({ task }) => task.label)
  const was = rollback === 'done' ? 'was undone together with' : 'failed together with'
  const undone = new SakError('together', `${was} ${culprits.join(', ')}, where a step failed`, {
    ...(error.hint !== undefined && { hint: error.hint }),
  })
  return { ...result, status, errors: [undone], rollback }
}
