import type { SakError } from '../core/errors.ts'
import type { TaskStatus } from '../core/report.ts'
import { greatestImpact, type Impact, type Step } from '../core/step.ts'
import type { Assessment, KeyChange, Task } from '../core/task.ts'
import { type MergedStep, mergeSteps } from './merge-steps.ts'
import type { TaskPlan } from './plan.ts'
import { assessmentOf, unitsOf } from './unit.ts'

/** What became of a task. */
export interface TaskResult {
  readonly task: Task
  readonly status: TaskStatus
  readonly impact: Impact
  readonly changes: readonly KeyChange[]
  readonly steps: readonly Step[]
  readonly errors: readonly SakError[]
  /** The condition that leaves it out here. */
  readonly when?: string
  /** What was found and what should be, where the check came so far. */
  readonly assessment?: Assessment
  /** The step that failed. */
  readonly step?: Step
  readonly rollback?: 'none' | 'done' | 'failed'
  /** Where it is one transaction with others. */
  readonly together?: Together
}

export interface Together {
  /** The labels of all its tasks that have something to do, this one too. */
  readonly labels: readonly string[]
  /** Of its steps those that are done once for several tasks, with the labels of the others. */
  readonly shared: ReadonlyMap<Step, readonly string[]>
}

/** A task that nothing was done for. */
export function skipped(task: Task): TaskResult {
  return { task, status: 'skipped', impact: 'none', changes: [], steps: [], errors: [] }
}

/** What plans come to if nothing is done. Tasks that go together have the steps that they have together. */
export function resultsOf(plans: readonly TaskPlan[]): readonly TaskResult[] {
  return unitsOf(plans, ({ task }) => task).flatMap(unit => inUnit(unit.map(resultOf)))
}

function resultOf(plan: TaskPlan): TaskResult {
  const { task, status } = plan
  if (status === 'deferred') return { ...skipped(task), status, impact: task.impact }
  if (status === 'skipped') return { ...skipped(task), when: plan.when }
  const assessment = assessmentOf(plan)
  const { changes = [], steps = [] } = assessment ?? {}
  const errors = 'errors' in plan ? plan.errors : []
  return { task, status, impact: greatestImpact(steps), changes, steps, errors, ...(assessment && { assessment }) }
}

const hasSomethingToDo = ({ status, steps }: TaskResult) => status === 'deferred' || steps.length > 0

function inUnit(results: readonly TaskResult[]): readonly TaskResult[] {
  const labels = results.filter(hasSomethingToDo).map(({ task }) => task.label)
  if (labels.length < 2) return results
  const merged = mergeSteps(results.map(({ steps }) => steps))
  return results.map((result, index) => {
    if (!hasSomethingToDo(result)) return result
    const own = merged.filter(({ owners }) => owners.includes(index))
    const steps = own.map(({ step }) => step)
    const impact = result.status === 'deferred' ? result.impact : greatestImpact(steps)
    return { ...result, steps, impact, together: { labels, shared: sharedAmong(results, own, index) } }
  })
}

function sharedAmong(results: readonly TaskResult[], own: readonly MergedStep[], index: number) {
  const labelOf = (owner: number) => results[owner]?.task.label ?? ''
  return new Map(
    own
      .filter(({ owners }) => owners.length > 1)
      .map(({ step, owners }) => [step, owners.filter(owner => owner !== index).map(labelOf)] as const),
  )
}
