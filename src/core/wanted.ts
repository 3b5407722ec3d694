import { isSakError } from './errors.ts'
import type { KnownFacts } from './facts.ts'
import type { Task } from './task.ts'

/** The tasks that the facts of a host do not leave out; those that they cannot decide are. */
export function tasksWanted(known: KnownFacts, tasks: readonly Task[]): readonly Task[] {
  const isWanted = (task: Task) => !task.whyUnwanted || task.whyUnwanted(known) === undefined
  return tasks.filter(task => unlessUnknown(() => isWanted(task)) ?? false)
}

/** What follows from facts; undefined where one that is needed is not known. */
export function unlessUnknown<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (isSakError(error)) return undefined
    throw error
  }
}
