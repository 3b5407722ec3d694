import { isBlocked, isSakError, SakError } from '../core/errors.ts'
import { hostFrom, type Read } from '../core/host.ts'
import { exceeds, greatestImpact, type Impact } from '../core/step.ts'
import type { Assessment, Task } from '../core/task.ts'
import { HostLost } from './batch.ts'
import { type Ask, Deferred, isTouched, overlay, type PlannedState, plannedFiles } from './overlay.ts'
import { settle, unitsOf } from './unit.ts'

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
  for (const unit of unitsOf(first, ({ plan }) => plan.task)) {
    const settled = settle(await planUnit(unit, planned, { ask, allow }))
    for (const plan of settled) foresee(plan, planned)
    plans.push(...settled)
  }
  return plans
}

interface Recorded {
  readonly plan: TaskPlan
  readonly reads: readonly Read[]
}

/** Plans what is applied as one on what is planned before it. */
async function planUnit(
  unit: readonly Recorded[],
  before: ReadonlyMap<string, PlannedState>,
  { ask, allow }: { ask: Ask; allow: Impact },
): Promise<readonly TaskPlan[]> {
  const planned = new Map(before)
  const plans: TaskPlan[] = []
  for (const { plan, reads } of unit) {
    const on = async (files: ReadonlyMap<string, PlannedState>) =>
      files.size > 0 && reads.some(read => isTouched(read, files))
        ? planTask(plan.task, overlay(ask, new Map(files)), allow, true)
        : plan
    const final = await on(planned)
    const isOwnDoing = final.status === 'deferred' && plans.length > 0 && (await on(before)).status !== 'deferred'
    plans.push(isOwnDoing ? unknowable(plan.task) : final)
    foresee(final, planned)
  }
  return plans
}

function foresee(plan: TaskPlan, planned: Map<string, PlannedState>): void {
  if (plan.status !== 'drift') return
  for (const [path, file] of plannedFiles(plan.assessment.steps)) planned.set(path, file)
}

/** In one transaction nothing can be looked at between two tasks. */
function unknowable(task: Task): TaskPlan {
  const message = 'what it would do is known only once the tasks before it, with which it goes together, are applied'
  const error = new SakError('together', message, { hint: 'take it out of together([...]), to stand after it' })
  return { task, status: 'blocked', assessment: undefined, errors: [error] }
}

async function recorded(task: Task, ask: Ask, allow: Impact): Promise<Recorded> {
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
