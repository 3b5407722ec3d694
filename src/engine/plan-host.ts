import type { Silence } from '../core/advice.ts'
import { type Advised, advise } from '../core/advise.ts'
import type { Budget } from '../core/budget.ts'
import type { Connection } from '../core/connection.ts'
import type { Impact } from '../core/step.ts'
import type { Task } from '../core/task.ts'
import type { Vault } from '../core/vault.ts'
import type { Reader } from './batch.ts'
import { type Budgeting, budgetWithin, refuseOverBudget } from './budget.ts'
import { readFacts } from './facts.ts'
import { findInterrupted, type Interrupted, interruptedError } from './journal.ts'
import type { Ask } from './overlay.ts'
import { planTasks } from './plan.ts'
import { readMachineId } from './reviewed.ts'
import { resultsOf, type TaskResult } from './task-result.ts'

/** A host at hand. `freshReader` begins with no answers: what was read before a change is not read from memory after it. */
export interface HostAtHand {
  readonly connection: Connection
  /** `lasting`: goes on when the run is asked to stop, for what must be known of steps that were done. */
  freshReader(lasting?: 'lasting'): Reader
  /** Default: there are no secrets. */
  readonly secrets?: Vault
}

export interface PlanOptions {
  readonly allow: Impact
  /** What the host's memory is held against. Default: nothing. */
  readonly budget?: Budgeting
  /** What advice is not to be given, beside what tasks say themselves. Default: none. */
  readonly silence?: Silence
}

export interface HostPlan {
  readonly results: readonly TaskResult[]
  readonly machineId: string | null
  readonly budget: Budget | undefined
  readonly advised: Advised
  /** What earlier runs left unfinished in tasks that are not among these. */
  readonly interrupted: readonly Interrupted[]
}

/** Checks the tasks of a host and says what would be done; changes nothing. What an earlier run left unfinished is said. */
export async function planHost(host: HostAtHand, tasks: readonly Task[], options: PlanOptions): Promise<HostPlan> {
  const { ask } = host.freshReader()
  const [{ plans, budget, advised }, unfinished, machineId] = await Promise.all([
    planWithin(tasks, ask, options),
    findInterrupted(ask),
    readMachineId(ask),
  ])
  const results = resultsOf(plans).map(result => {
    const found = unfinished.find(({ tasks }) => tasks.includes(result.task.label))
    return found ? { ...result, status: 'interrupted' as const, errors: [interruptedError(found)] } : result
  })
  const interrupted = unfinished.filter(each => !tasks.some(task => each.tasks.includes(task.label)))
  return { results, interrupted, machineId, budget, advised }
}

/** The plans of tasks, with those blocked that the memory of the host is too small for. */
export async function planWithin(
  tasks: readonly Task[],
  ask: Ask,
  { allow, budget: { tasks: whole, allowOver } = { tasks, allowOver: true }, silence = {} }: PlanOptions,
) {
  const needsFacts = [...tasks, ...whole].some(task => task.whyUnwanted || task.footprint || task.advice)
  const facts = needsFacts ? readFacts(ask) : Promise.resolve({})
  const [plans, known] = await Promise.all([planTasks(tasks, ask, allow, facts), facts])
  const budget = budgetWithin(known, whole)
  const advised = advise({ tasks, whole, known, budget, silence })
  return { plans: allowOver ? plans : refuseOverBudget(plans, budget), budget, known, advised }
}
