import { isDeepStrictEqual } from 'node:util'
import type { ServiceStep, Step } from '../core/step.ts'

/** A step of several tasks that go together, with whose it is (indexes of their lists). */
export interface MergedStep {
  readonly step: Step
  readonly owners: readonly number[]
}

/**
 * One list of several tasks' steps. Each task's own stay in their order. First come the files of all, with what tries them, so that
 * a bad one is found before any service is touched. What two tasks do to the same service, and what is equal and safe to do once,
 * becomes one step: after what both do before it, before what both do after it. Behind a program that leaves files (an account, say) nothing of
 * later tasks is drawn forward: they may build on them.
 * Where two tasks want the same two things in contrary orders, one of the things is done twice.
 */
export function mergeSteps(lists: readonly (readonly Step[])[]): readonly MergedStep[] {
  const owned = lists.map((steps, owner) => steps.map((step): MergedStep => ({ step, owners: [owner] })))
  const leaving = lists.findIndex(steps => steps.slice(preparationOf(steps)).some(leavesFiles))
  const starts = lists.map((steps, owner) => (leaving >= 0 && owner > leaving ? 0 : preparationOf(steps)))
  const preparations = owned.map((steps, owner) => steps.slice(0, starts[owner]))
  const rests = owned.map((steps, owner) => steps.slice(starts[owner]))
  return [...preparations.reduce(mergeTwo, []), ...rests.reduce(mergeTwo, [])]
}

/** How many steps at the beginning of a list are preparations. */
function preparationOf(steps: readonly Step[]): number {
  const start = steps.findIndex(step => !isPreparation(step))
  return start < 0 ? steps.length : start
}

const leavesFiles = (step: Step) => step.kind === 'run' && (step.leaves ?? []).some(({ kind }) => kind !== 'unknown')

/** Files, and programs that change nothing that anybody uses: a trial of the files, a note of what is there. */
function isPreparation(step: Step): boolean {
  if (step.kind === 'run') return step.impact === 'none' && step.undo === 'resumable'
  return step.kind === 'write' || step.kind === 'remove'
}

function mergeTwo(first: readonly MergedStep[], second: readonly MergedStep[]): MergedStep[] {
  const merged: MergedStep[] = []
  let [i, j] = [0, 0]
  for (const { one, two, step } of longestCommon(first, second)) {
    merged.push(...first.slice(i, one), ...second.slice(j, two))
    merged.push({ step, owners: [...(first[one]?.owners ?? []), ...(second[two]?.owners ?? [])] })
    i = one + 1
    j = two + 1
  }
  return [...merged, ...first.slice(i), ...second.slice(j)]
}

interface Pair {
  readonly one: number
  readonly two: number
  readonly step: Step
}

/** The most pairs of steps that can be one, in both lists' order (a longest common subsequence). */
function longestCommon(first: readonly MergedStep[], second: readonly MergedStep[]): readonly Pair[] {
  const best: (readonly Pair[])[][] = Array.from({ length: first.length + 1 }, () =>
    Array.from({ length: second.length + 1 }, () => []),
  )
  const at = (i: number, j: number) => best[i]?.[j] ?? []
  for (let i = first.length - 1; i >= 0; i--) {
    for (let j = second.length - 1; j >= 0; j--) {
      const step = asOne(first[i]?.step, second[j]?.step)
      const without = at(i + 1, j).length >= at(i, j + 1).length ? at(i + 1, j) : at(i, j + 1)
      const within = step ? [{ one: i, two: j, step }, ...at(i + 1, j + 1)] : []
      const row = best[i]
      if (row) row[j] = within.length > without.length ? within : without
    }
  }
  return at(0, 0)
}

/** The step that does what both do, where there is one. Files are never merged: a later task's builds on an earlier one's. */
function asOne(a: Step | undefined, b: Step | undefined): Step | undefined {
  if (!a || !b) return undefined
  if (a.kind === 'service' && b.kind === 'service') return oneAction(a, b)
  if (a.kind === 'waitFor') return isDeepStrictEqual(a, b) ? a : undefined
  // safe to do again means that once is enough
  if (a.kind === 'run' && a.undo === 'resumable') return isDeepStrictEqual(a, b) ? a : undefined
  return undefined
}

const activations: readonly ServiceStep['action'][] = ['start', 'reload', 'restart']

/** As systemctl reads it: a name without a type is a service's. */
const unitOf = ({ name }: ServiceStep) => (/\.[a-z]+$/.test(name) ? name : `${name}.service`)

/** A restart does what a reload and what a start does; a reload does not start. */
function oneAction(a: ServiceStep, b: ServiceStep): ServiceStep | undefined {
  if (unitOf(a) !== unitOf(b) || a.user !== b.user) return undefined
  if (a.action === b.action) return a
  if (!activations.includes(a.action) || !activations.includes(b.action)) return undefined
  return [a, b].find(({ action }) => action === 'restart')
}
