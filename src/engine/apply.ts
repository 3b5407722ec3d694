import type { Budget } from '../core/budget.ts'
import type { Connection } from '../core/connection.ts'
import { isSakError, SakError } from '../core/errors.ts'
import type { Impact } from '../core/step.ts'
import type { Task } from '../core/task.ts'
import type { Vault } from '../core/vault.ts'
import { applyUnit } from './apply-unit.ts'
import { HostLost, type Reader } from './batch.ts'
import { type Budgeting, budgetWithin, refuseOverBudget } from './budget.ts'
import { readFacts } from './facts.ts'
import { findInterrupted, type Interrupted, interruptedError } from './journal.ts'
import type { Ask } from './overlay.ts'
import { planTask, planTasks } from './plan.ts'
import { asSakError } from './report-task.ts'
import { type Reviewed, readMachineId, refuseOther } from './reviewed.ts'
import { resultsOf, skipped, type TaskResult } from './task-result.ts'
import { unitsOf } from './unit.ts'

/** A host at hand. `freshReader` begins with no answers: what was read before a change is not read from memory after it. */
export interface HostAtHand {
  readonly connection: Connection
  /** `lasting`: goes on when the run is asked to stop, for what must be known of steps that were done. */
  freshReader(lasting?: 'lasting'): Reader
  /** Default: there are no secrets. */
  readonly secrets?: Vault
}

export interface ApplyOptions {
  readonly allow: Impact
  /** What the host's memory is held against. Default: nothing. */
  readonly budget?: Budgeting
  /** Names the run in the journals on the hosts. */
  readonly runId: string
  /** Told before a task's steps run. */
  readonly onTask?: (task: Task) => void
  /** The plan that a person has seen and agreed to: what differs from it is not applied. */
  readonly reviewed?: Reviewed
  /** Once aborted nothing new starts; steps that run end or undo themselves. */
  readonly signal?: AbortSignal
}

export interface HostPlan {
  readonly results: readonly TaskResult[]
  readonly machineId: string | null
  readonly budget: Budget | undefined
  /** What earlier runs left unfinished in tasks that are not among these. */
  readonly interrupted: readonly Interrupted[]
}

/** Checks the tasks of a host and says what would be done; changes nothing. What an earlier run left unfinished is said. */
export async function planHost(
  host: HostAtHand,
  tasks: readonly Task[],
  options: Pick<ApplyOptions, 'allow' | 'budget'>,
): Promise<HostPlan> {
  const { ask } = host.freshReader()
  const [{ plans, budget }, unfinished, machineId] = await Promise.all([
    planWithin(tasks, ask, options),
    findInterrupted(ask),
    readMachineId(ask),
  ])
  const results = resultsOf(plans).map(result => {
    const found = unfinished.find(({ tasks }) => tasks.includes(result.task.label))
    return found ? { ...result, status: 'interrupted' as const, errors: [interruptedError(found)] } : result
  })
  const interrupted = unfinished.filter(each => !tasks.some(task => each.tasks.includes(task.label)))
  return { results, interrupted, machineId, budget }
}

/** The plans of tasks, with those blocked that the memory of the host is too small for. */
async function planWithin(
  tasks: readonly Task[],
  ask: Ask,
  {
    allow,
    budget: { tasks: whole, allowOver } = { tasks: [], allowOver: true },
  }: Pick<ApplyOptions, 'allow' | 'budget'>,
) {
  const needsFacts = [...tasks, ...whole].some(task => task.whyUnwanted || task.footprint)
  const facts = needsFacts ? readFacts(ask) : Promise.resolve({})
  const [plans, known] = await Promise.all([planTasks(tasks, ask, allow, facts), facts])
  const budget = budgetWithin(known, whole)
  return { plans: allowOver ? plans : refuseOverBudget(plans, budget), budget, known }
}

/** What an apply came to. */
export interface Applied {
  readonly results: readonly TaskResult[]
  readonly budget: Budget | undefined
}

/** Checks the tasks of a host, applies in order those that differ, and checks again. */
export async function applyHost(host: HostAtHand, tasks: readonly Task[], options: ApplyOptions): Promise<Applied> {
  const { ask } = host.freshReader()
  const [{ plans, budget, known }, machineId] = await Promise.all([planWithin(tasks, ask, options), readMachineId(ask)])
  if (options.reviewed) refuseOther({ results: resultsOf(plans), machineId }, options.reviewed, host.secrets)
  const results: TaskResult[] = []
  let stopped = false
  let disturbed = false
  for (const unit of unitsOf(plans, ({ task }) => task)) {
    const tasks = unit.map(({ task }) => task)
    if (stopped || options.signal?.aborted) {
      results.push(...tasks.map(skipped))
      continue
    }
    const again = unit.some(plan => plan.status === 'deferred' || ('foreseen' in plan && plan.foreseen && disturbed))
    const done = await orFailed(tasks.map(skipped), async () => {
      const now = again ? await planTasks(tasks, host.freshReader().ask, options.allow, Promise.resolve(known)) : unit
      return applyUnit(host.connection, resultsOf(now), { ...options, index: results.length, secrets: host.secrets })
    })
    results.push(...done)
    if (!done.every(isSettled)) disturbed = true
    if (done.some(({ status, task }) => status === 'failed' && !task.keepGoing)) stopped = true
  }
  const changed = results.some(result => result.status === 'changed')
  return { results: changed ? await verify(host, results, options.allow) : results, budget }
}

/** Whether what was foreseen for the tasks after it holds. */
const isSettled = ({ status, when }: TaskResult) => status === 'ok' || status === 'changed' || when !== undefined

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
    hint: 'what is left is shown as its changes; something else on the host may be changing it back',
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
