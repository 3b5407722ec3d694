import { type Budget, budgetOf, isOver, largestPart } from '../core/budget.ts'
import { SakError } from '../core/errors.ts'
import { factsOf, type KnownFacts } from '../core/facts.ts'
import type { Task } from '../core/task.ts'
import { tasksWanted, unlessUnknown } from '../core/wanted.ts'
import type { TaskPlan } from './plan.ts'

/** What the memory of a host is held against. */
export interface Budgeting {
  /** All tasks that the playbook has for the host, also those that this run leaves out. */
  readonly tasks: readonly Task[]
  /** Apply although the sum is more than the host has. */
  readonly allowOver: boolean
}

/** The budget of a host; none where it does not tell what the sum depends on. */
export function budgetWithin(known: KnownFacts, tasks: readonly Task[]): Budget | undefined {
  return unlessUnknown(() => budgetOf(tasksWanted(known, tasks), factsOf(known)))
}

/** Nothing is applied on a host whose tasks together let their services use more memory than there is. */
export function refuseOverBudget(plans: readonly TaskPlan[], budget: Budget | undefined): readonly TaskPlan[] {
  if (!budget || !isOver(budget)) return plans
  const { task, MiB, what } = largestPart(budget)
  const error = new SakError(
    'over-budget',
    `${budget.plannedMiB} MiB of memory are planned, and the host has ${budget.ramMiB}`,
    {
      hint: `save memory (most goes to ${task}: ${MiB} MiB, ${what}), take a larger host, or apply with --allow-over-budget`,
    },
  )
  return plans.map(plan => {
    if (plan.status !== 'drift' && plan.status !== 'deferred') return plan
    const assessment = 'assessment' in plan ? plan.assessment : undefined
    return { task: plan.task, status: 'blocked', assessment, errors: [error] }
  })
}
