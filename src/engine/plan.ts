import { isBlocked, isSakError, SakError } from '../core/errors.ts'
import { hostFrom, type Read } from '../core/host.ts'
import { exceeds, greatestImpact, type Impact } from '../core/step.ts'
import type { Assessment, Task } from '../core/task.ts'
import { HostLost } from './batch.ts'
import { type Ask, Deferred, isTouched, overlay, type PlannedState, plannedFiles } from './overlay.ts'

/** What is planned for a task of a host. */
export type TaskPlan = { readonly task: Task } & (
  | { readonly status: 'ok' | 'drift' | 'pending'; readonly assessment: Assessment; readonly foreseen: boolean }
  | { readonly status: 'blocked'; readonly assessment: Assessment | undefined; readonly errors: readonly SakError[] }
  | { readonly status: 'failed'; readonly errors: readonly SakError[] }
  | { readonly status: 'deferred' }
)

/**
 * Checks all tasks of a host at once, then walks them in order: where an earlier task would write what a later one read, that one
 * is checked again as if it were written. Costs only the trips that the reads need.
 */
export async function planTasks(tasks: readonly Task[], ask: Ask, allow: Impact): Promise<readonly TaskPlan[]> {
  const first = await Promise.all(tasks.map(task => recorded(task, ask, allow)))
  const planned = new Map<string, PlannedState>()
  const plans: TaskPlan[] = []
  for (const { plan, reads } of first) {
    const touched = planned.size > 0 && reads.some(read => isTouched(read, planned))
    const final = touched ? await planTask(plan.task, overlay(ask, new Map(planned)), allow, true) : plan
    plans.push(final)
    if (final.status === 'drift') {
      for (const [path, file] of plannedFiles(final.assessment.steps)) planned.set(path, file)
    }
  }
  return plans
}

async function recorded(task: Task, ask: Ask, allow: Impact): Promise<{ plan: TaskPlan; reads: readonly Read[] }> {
  const reads: Read[] = []
  const record: Ask = async read => {
    reads.push(read)
    return ask(read)
  }
  return { plan: await planTask(task, record, allow), reads }
}

/** Checks one task, and says what is to be done about it. `foreseen`: the answers have planned files laid over them. */
export async function planTask(task: Task, ask: Ask, allow: Impact, foreseen = false): Promise<TaskPlan> {
  try {
    const assessment = await task.assess(hostFrom(ask))
    const errors = assessment.blocked
    if (errors.length > 0) return { task, status: 'blocked', assessment, errors }
    if (assessment.changes.length === 0) return { task, status: 'ok', assessment, foreseen }
    const tooMuch = exceeds(greatestImpact(assessment.steps), allow)
    return { task, status: tooMuch ? 'pending' : 'drift', assessment, foreseen }
  } catch (error) {
    if (error instanceof HostLost) throw error
    if (error instanceof Deferred) return { task, status: 'deferred' }
    if (isSakError(error)) {
      const status = isBlocked(error) ? 'blocked' : 'failed'
      return { task, status, assessment: undefined, errors: [error] }
    }
    const message = error instanceof Error ? error.message : String(error)
    const bug = new SakError('module-bug', `the module ${task.module} has a bug: ${message}`, {
      cause: error,
      hint: 'this is not a fault of the host: please report it to the author of the module',
    })
    return { task, status: 'failed', errors: [bug] }
  }
}
