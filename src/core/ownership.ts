import { SakError } from './errors.ts'
import { describeOwned } from './owned.ts'
import type { Task } from './task.ts'
import type { When } from './when.ts'

/** Two tasks that own the same thing. */
export interface Shared {
  readonly thing: string
  readonly first: Task
  readonly second: Task
}

/** The first thing that two of the tasks own, of those pairs that count. */
export function findShared(tasks: readonly Task[], counts: (a: Task, b: Task) => boolean): Shared | undefined {
  const owners = new Map<string, Task[]>()
  /** Of each file that is ruled in parts, the owners of those. */
  const inParts = new Map<string, Task[]>()
  const add = (map: Map<string, Task[]>, key: string, task: Task) => map.set(key, [...(map.get(key) ?? []), task])
  for (const second of tasks) {
    for (const thing of second.owns) {
      const [whole = '', part] = thing.split('\0')
      const others = part === undefined ? inParts.get(whole) : owners.get(whole)
      const first = [...(owners.get(thing) ?? []), ...(others ?? [])].find(task => counts(task, second))
      if (first) return { thing, first, second }
      add(owners, thing, second)
      if (part !== undefined) add(inParts, whole, second)
    }
  }
  return undefined
}

export const describeShared = ({ thing, first, second }: Shared) =>
  `the tasks "${first.label}" and "${second.label}" both own ${describeOwned(thing)}`

/**
 * Whether two tasks are surely wanted together somewhere, as far as can be known before the facts of a host are: all that the one
 * is bound to, the other is too. Two tasks with conditions of their own may be alternatives.
 */
export function surelyMeet(a: Task, b: Task): boolean {
  if (isNever(a) || isNever(b)) return false
  return areWithin(a.when, b.when) || areWithin(b.when, a.when)
}

const isNever = (task: Task) => task.when.includes(false)
const areWithin = (some: readonly When[], all: readonly When[]) =>
  some.every(condition => condition === true || all.includes(condition))

/**
 * Labels must tell tasks apart, no two may own the same thing, and those that go together must stand together.
 * Throws SakError `invalid-playbook`, `where` in its message.
 */
export function refuseConflicts(tasks: readonly Task[], where: string): void {
  refuseStray(tasks, where)
  const byLabel = new Map<string, Task>()
  for (const second of tasks) {
    const { label, module } = second
    const first = byLabel.get(label)
    if (first) {
      throw new SakError('invalid-playbook', `${where}: two tasks are called "${label}"${apart(first, second)}`, {
        hint: `give one another label: ${module}({ ... }, { label: '...' })`,
      })
    }
    byLabel.set(label, second)
  }
  const shared = findShared(tasks, surelyMeet)
  if (!shared) return
  throw new SakError('invalid-playbook', `${where}: ${describeShared(shared)}`, {
    hint: 'only one task may rule a thing: merge the two, give one another path, or give each its own `when`',
  })
}

/** What tells two tasks apart that have one name. */
function apart(first: Task, second: Task): string {
  const [one, other] = [first, second].map(({ owns }) => owns[0] && describeOwned(owns[0]))
  return one && other && one !== other ? `: one for ${one}, one for ${other}` : ''
}

function refuseStray(tasks: readonly Task[], where: string): void {
  const stray = tasks.find(({ transaction }, index) => {
    const before = tasks.slice(0, index).findLastIndex(other => other.transaction === transaction)
    return transaction !== undefined && before >= 0 && before < index - 1
  })
  if (!stray) return
  const message = `${where}: another task stands between "${stray.label}" and those it goes together with`
  throw new SakError('invalid-playbook', message, {
    hint: 'put the list that together([...]) answers into the playbook as it is',
  })
}
