import { type ErrorCode, isBlocked, isSakError, SakError } from '../core/errors.ts'
import type { KnownFacts } from '../core/facts.ts'
import { hostFrom, type Read } from '../core/host.ts'
import { moduleBug } from '../core/module-bug.ts'
import { describeShared, findShared } from '../core/ownership.ts'
import { exceeds, greatestImpact, type Impact } from '../core/step.ts'
import type { Assessment, Task } from '../core/task.ts'
import { HostLost } from './batch.ts'
import { type Ask, Deferred, isTouched, overlay, type PlannedFiles, plannedFiles } from './overlay.ts'
import { settle, unitsOf } from './unit.ts'

/** What is planned for a task of a host. */
export type TaskPlan = { readonly task: Task } & (
  | { readonly status: 'ok' | 'drift' | 'pending'; readonly assessment: Assessment; readonly foreseen: boolean }
  | { readonly status: 'blocked'; readonly assessment: Assessment | undefined; readonly errors: readonly SakError[] }
  | { readonly status: 'failed'; readonly errors: readonly SakError[] }
  | { readonly status: 'deferred' }
  /** Its `when` is not true here. */
  | { readonly status: 'skipped'; readonly when: string }
)

/**
 * Checks all tasks of a host at once, then walks them in order: where an earlier task would write what a later one read, that one
 * is checked again as if it were written. Costs only the trips that the reads need: a task whose `when` is to be decided by the
 * facts is checked meanwhile, and what was found is dropped where it is not wanted.
 */
export async function planTasks(
  tasks: readonly Task[],
  ask: Ask,
  allow: Impact,
  facts: Promise<KnownFacts>,
): Promise<readonly TaskPlan[]> {
  const checked = await Promise.all(tasks.map(task => recorded(task, ask, allow, facts)))
  const first = refuseShared(checked)
  let before = nothingPlanned
  const plans: TaskPlan[] = []
  for (const unit of unitsOf(first, ({ plan }) => plan.task)) {
    const settled = settle(await planUnit(unit, before, { ask, allow }))
    before = settled.reduce(foresee, before)
    plans.push(...settled)
  }
  return plans
}

/** What is known of a host on which the tasks so far are applied. */
interface Foreseen {
  readonly files: PlannedFiles
  /** Whether packages may come that are not there yet, with programs, users and directories of theirs. */
  readonly mayInstall: boolean
}

const nothingPlanned: Foreseen = { files: new Map(), mayInstall: false }

interface Recorded {
  readonly plan: TaskPlan
  readonly reads: readonly Read[]
  /** Whether the host is known to want it. */
  readonly wanted: boolean
}

/** Plans what is applied as one on what is planned before it. */
async function planUnit(
  unit: readonly Recorded[],
  before: Foreseen,
  { ask, allow }: { ask: Ask; allow: Impact },
): Promise<readonly TaskPlan[]> {
  let planned = before
  const plans: TaskPlan[] = []
  for (const { plan, reads } of unit) {
    const on = async ({ files, mayInstall }: Foreseen): Promise<TaskPlan> => {
      const isLaid = files.size > 0 && reads.some(read => isTouched(read, files))
      const found = isLaid ? await planTask(plan.task, overlay(ask, files), allow, true) : plan
      return mayInstall && lacksOnly(found) ? { task: plan.task, status: 'deferred' } : found
    }
    const final = await on(planned)
    const isOwnDoing = final.status === 'deferred' && plans.length > 0 && (await on(before)).status !== 'deferred'
    plans.push(isOwnDoing ? unknowable(plan.task) : final)
    planned = foresee(planned, final)
  }
  return plans
}

/** Where dpkg keeps what is installed. A step that leaves it unknown installs packages. */
const packageStatus = '/var/lib/dpkg/status'

/** A deferred task may do whatever its module does. */
function foresee(before: Foreseen, plan: TaskPlan): Foreseen {
  if (plan.status === 'deferred') return { ...before, mayInstall: true }
  if (plan.status !== 'drift') return before
  const states = plannedFiles(plan.assessment.steps)
  return {
    files: new Map([...before.files, ...states]),
    mayInstall: before.mayInstall || states.some(([path, { kind }]) => path === packageStatus && kind === 'unknown'),
  }
}

/** Whether nothing stands in the way of a task but what a package may bring. */
function lacksOnly(plan: TaskPlan): boolean {
  const brought: readonly string[] = ['not-installed', 'no-such-user', 'no-such-path'] satisfies ErrorCode[]
  return plan.status === 'blocked' && plan.errors.every(({ code }) => brought.includes(code))
}

/** In one transaction nothing can be looked at between two tasks. */
function unknowable(task: Task): TaskPlan {
  const message = 'what it would do is known only once the tasks before it, with which it goes together, are applied'
  const error = new SakError('together', message, { hint: 'take it out of together([...]), to stand after it' })
  return { task, status: 'blocked', assessment: undefined, errors: [error] }
}

async function recorded(task: Task, ask: Ask, allow: Impact, facts: Promise<KnownFacts>): Promise<Recorded> {
  const reads: Read[] = []
  const record: Ask = async read => {
    reads.push(read)
    return ask(read)
  }
  if (!task.whyUnwanted) return { plan: await planTask(task, record, allow), reads, wanted: true }
  const verdict = facts.then(known => leftOut(task, known))
  const [left, plan] = await Promise.all([verdict, planTask(task, whileWanted(record, verdict), allow)])
  return left ? { plan: left, reads: [], wanted: false } : { plan, reads, wanted: true }
}

/** The plan of a task that the facts leave out, or that they cannot decide. */
function leftOut(task: Task, facts: KnownFacts): TaskPlan | undefined {
  try {
    const when = task.whyUnwanted?.(facts)
    return when === undefined ? undefined : { task, status: 'skipped', when }
  } catch (error) {
    return notPlanned(task, error)
  }
}

/** Asks what the first trip can carry; then only if the task is wanted. */
function whileWanted(ask: Ask, verdict: Promise<TaskPlan | undefined>): Ask {
  let answered = false
  return async read => {
    if (answered && (await verdict)) throw new Deferred('the task is not wanted')
    const answer = await ask(read)
    answered = true
    return answer
  }
}

/** Two tasks that may be alternatives, of which the facts of this host leave none out. */
function refuseShared(checked: readonly Recorded[]): readonly Recorded[] {
  const tasks = checked.filter(({ wanted }) => wanted).map(({ plan }) => plan.task)
  const shared = tasks.some(task => task.whyUnwanted) ? findShared(tasks, () => true) : undefined
  if (!shared) return checked
  const error = new SakError('refused', `on this host ${describeShared(shared)}`, {
    hint: 'only one of them may be wanted: let the `when` of one exclude that of the other',
  })
  return checked.map(each => {
    const { task } = each.plan
    if (task !== shared.first && task !== shared.second) return each
    return { ...each, plan: { task, status: 'blocked', assessment: undefined, errors: [error] }, reads: [] }
  })
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
    if (error instanceof Deferred) return { task, status: 'deferred' }
    return notPlanned(task, error)
  }
}

function notPlanned(task: Task, error: unknown): TaskPlan {
  if (error instanceof HostLost) throw error
  if (isSakError(error)) {
    return isBlocked(error)
      ? { task, status: 'blocked', assessment: undefined, errors: [error] }
      : { task, status: 'failed', errors: [error] }
  }
  return { task, status: 'failed', errors: [moduleBug(task, error)] }
}
