import { SakError } from './errors.ts'
import { surelyMeet } from './ownership.ts'
import type { Task } from './task.ts'

/**
 * What a task follows must be written before it: written later, its service would run on the old files when the run says that
 * all is well. Throws SakError `invalid-playbook`, `where` in its message.
 */
export function refuseLateWrites(tasks: readonly Task[], where: string): void {
  for (const [index, task] of tasks.entries()) {
    for (const path of task.follows) {
      const late = tasks.slice(index + 1).find(later => writes(later, path) && surelyMeet(task, later))
      if (!late) continue
      const message = `${where}: "${task.label}" follows ${path}, which the later task "${late.label}" writes: it would run on as before that`
      throw new SakError('invalid-playbook', message, {
        hint: `put "${late.label}" before "${task.label}", in a together([...]) too`,
      })
    }
  }
}

/** Whether a task rules a path, a part of it, or something below it. */
const writes = ({ owns }: Task, path: string) =>
  owns.some(thing => {
    const [whole = ''] = thing.split('\0')
    return whole === path || whole.startsWith(`${path}/`)
  })
