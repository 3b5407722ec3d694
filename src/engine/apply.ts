import { isDeepStrictEqual } from 'node:util'
import type { Advised } from '../core/advise.ts'
import type { Budget } from '../core/budget.ts'
import { isSakError, SakError } from '../core/errors.ts'
import { describeStep, type Impact, type Step } from '../core/step.ts'
import type { Task } from '../core/task.ts'
import { applyUnit } from './apply-unit.ts'
import { HostLost } from './batch.ts'
import { plannedFiles } from './overlay.ts'
import { planTask, planTasks, type TaskPlan } from './plan.ts'
import { type HostAtHand, type PlanOptions, planWithin } from './plan-host.ts'
import { asSakError } from './report-task.ts'
import { type Reviewed, readMachineId, refuseOther } from './reviewed.ts'
import { resultsOf, skipped, type TaskResult } from './task-result.ts'
import { assessmentOf, unitsOf } from './unit.ts'

export interface ApplyOptions extends PlanOptions {
  /** Names the run in the journals on the hosts. */
  readonly runId: string
  /** Told before a task's steps run. */
  readonly onTask?: (task: Task) => void
  /** The plan that a person has seen and agreed to: what differs from it is not applied. */
  readonly reviewed?: Reviewed
  /** Once aborted nothing new starts; steps that run end or undo themselves. */
  readonly signal?: AbortSignal
}

/** What an apply came to. */
export interface Applied {
  readonly results: readonly TaskResult[]
  readonly budget: Budget | undefined
  readonly advised: Advised
}

/** Checks the tasks of a host, applies in order those that differ, and checks again. */
export async function applyHost(host: HostAtHand, tasks: readonly Task[], options: ApplyOptions): Promise<Applied> {
  const { ask } = host.freshReader()
  const [{ plans, budget, known, advised }, machineId] = await Promise.all([
    planWithin(tasks, ask, options),
    readMachineId(ask),
  ])
  if (options.reviewed) refuseOther({ results: resultsOf(plans), machineId }, options.reviewed, host.secrets)
  const results: TaskResult[] = []
  let stopped = false
  let disturbed = false
  let unforeseen = false
  for (const unit of unitsOf(plans, ({ task }) => task)) {
    const tasks = unit.map(({ task }) => task)
    if (stopped || options.signal?.aborted) {
      results.push(...tasks.map(skipped))
      continue
    }
    const again =
      unit.some(plan => plan.status === 'deferred' || ('foreseen' in plan && plan.foreseen && disturbed)) ||
      (unforeseen && unit.every(({ status }) => status !== 'blocked'))
    const done = await orFailed(tasks.map(skipped), async () => {
      const now = again ? await planTasks(tasks, host.freshReader().ask, options.allow, Promise.resolve(known)) : unit
      if (options.reviewed) refuseUnseen(unit, now)
      return applyUnit(host.connection, resultsOf(now), { ...options, index: results.length, secrets: host.secrets })
    })
    results.push(...done)
    if (!done.every(isSettled)) disturbed = true
    if (done.some(leavesUnknown)) unforeseen = true
    if (done.some(({ status, task }) => status === 'failed' && !task.keepGoing)) stopped = true
  }
  const changed = results.some(result => result.status === 'changed')
  return { results: changed ? await verify(host, results, options.allow) : results, budget, advised }
}

/** Whether what was foreseen for the tasks after it holds. */
const isSettled = ({ status, when }: TaskResult) => status === 'ok' || status === 'changed' || when !== undefined

/** Whether it ran what may have changed more than its steps tell: the plans of later tasks need not hold. */
const leavesUnknown = ({ status, steps }: TaskResult) =>
  status === 'changed' && plannedFiles(steps).some(([, { kind }]) => kind === 'unknown')

/** Steps that nobody has reviewed are not done, but for those of a task that was deferred. */
function refuseUnseen(reviewed: readonly TaskPlan[], now: readonly TaskPlan[]): void {
  for (const [index, plan] of now.entries()) {
    const before = reviewed[index]
    const [seen, would] = [before ? stepsOf(before) : [], stepsOf(plan)]
    if (before?.status === 'deferred' || isDeepStrictEqual(would, seen)) continue
    throw new SakError('stale-plan', `an earlier task has changed what ${plan.task.label} would do`, {
      said: `in the plan: ${inWords(seen)}\nnow: ${inWords(would)}`,
      hint: 'the earlier tasks are applied: make a new plan and look at it',
    })
  }
}

const inWords = (steps: readonly Step[]) => steps.map(describeStep).join('; ') || 'no step'

const stepsOf = (plan: TaskPlan) => assessmentOf(plan)?.steps ?? []

/** Checks again with new eyes: only what is in sync now was changed, and what was in sync must still be. */
async function verify(host: HostAtHand, results: readonly TaskResult[], allow: Impact): Promise<readonly TaskResult[]> {
  const reader = host.freshReader('lasting')
  const verified = results.map(result => {
    if (result.status !== 'changed' && result.status !== 'ok') return [result]
    return orFailed([result], async () => {
      const now = await planTask(result.task, reader.ask, allow)
      return now.status === 'ok' ? [result] : resultsOf([now]).map(left => notConverged(result, left))
    })
  })
  return (await Promise.all(verified)).flat()
}

function notConverged(result: TaskResult, left: TaskResult): TaskResult {
  const message =
    result.status === 'ok'
      ? 'was in sync before the other tasks were applied, and is not now'
      : 'did not converge: its steps were done, and a second check still finds differences'
  const error = new SakError('did-not-converge', message, {
    hint: 'what is left is shown as its changes: a task that stands after this one, or something else on the host, changes it',
    ...(left.errors[0] && { said: left.errors[0].message }),
  })
  return { ...left, steps: result.steps, status: 'failed', errors: [error] }
}

/** A lost host fails the tasks at hand, and what was done before stays told. */
async function orFailed(
  results: readonly TaskResult[],
  act: () => Promise<readonly TaskResult[]>,
): Promise<readonly TaskResult[]> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof HostLost) && !isSakError(error)) throw error
    return results.map(result => ({ ...result, status: 'failed', errors: [asSakError(error)] }))
  }
}
