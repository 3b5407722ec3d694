import { SakError } from '../core/errors.ts'
import type { Task } from '../core/task.ts'
import type { TaskPlan } from './plan.ts'

/** What is applied as one: a single task, or those that go together, which stand side by side. */
export function unitsOf<T>(items: readonly T[], taskOf: (item: T) => Task): readonly (readonly T[])[] {
  const units: T[][] = []
  let last: symbol | undefined
  for (const item of items) {
    const { transaction } = taskOf(item)
    const unit = units.at(-1)
    if (unit && transaction !== undefined && transaction === last) unit.push(item)
    else units.push([item])
    last = transaction
  }
  return units
}

/** What goes together is applied together or not at all: what hinders one hinders all that differ. */
export function settle(unit: readonly TaskPlan[]): readonly TaskPlan[] {
  if (unit.length < 2) return unit
  const hindered = unit.find(({ status }) => status === 'blocked' || status === 'failed')
  if (hindered) return unit.map(plan => (differs(plan) ? hinderedBy(plan, hindered) : plan))
  if (!unit.some(({ status }) => status === 'pending')) return unit
  return unit.map(plan => (plan.status === 'drift' ? { ...plan, status: 'pending' } : plan))
}

const differs = ({ status }: TaskPlan) => status === 'drift' || status === 'pending' || status === 'deferred'

function hinderedBy(plan: TaskPlan, { task, status }: TaskPlan): TaskPlan {
  const error = new SakError('together', `goes together with ${task.label}, which is ${status}`, {
    hint: `mend that first, or take one of them out of together([...])`,
  })
  return { task: plan.task, status: 'blocked', assessment: assessmentOf(plan), errors: [error] }
}

export const assessmentOf = (plan: TaskPlan) => ('assessment' in plan ? plan.assessment : undefined)
