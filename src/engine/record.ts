import { isSakError, type SakError } from '../core/errors.ts'
import { type Answer, hostFrom, type Read } from '../core/host.ts'
import type { Assessment, Task } from '../core/task.ts'
import { HostLost } from './batch.ts'
import type { Ask } from './overlay.ts'

/** A read and what the host said to it. */
export interface RecordedRead {
  readonly read: Read
  readonly answer: Answer | SakError
}

/** What a check read, and what it made of it: an error where it could not be judged. */
export interface RecordedTask {
  readonly task: Task
  readonly reads: readonly RecordedRead[]
  readonly found: Assessment | SakError
}

/** Checks a task and keeps every answer. Throws what is no answer of the host. */
export async function recordTask(task: Task, ask: Ask): Promise<RecordedTask> {
  const reads: RecordedRead[] = []
  const recording: Ask = async read => {
    const answer = await orError(ask(read))
    reads.push({ read, answer })
    if (isSakError(answer)) throw answer
    return answer
  }
  const found = await orError(task.assess(hostFrom(recording)))
  return { task, reads, found }
}

/** What is wrong with the host as a value; what is no word of it is thrown. */
export async function orError<T>(promise: Promise<T>): Promise<T | SakError> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof HostLost || !isSakError(error)) throw error
    return error
  }
}
