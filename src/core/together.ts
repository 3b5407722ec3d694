import { SakError } from './errors.ts'
import { flatten, type TaskList } from './playbook.ts'
import type { Task } from './task.ts'

/**
 * Makes tasks one transaction: all of them are applied, or none. Each keeps its steps in their order; what several of them do to a
 * service is done once, by the greatest action, when the files of all are in place. The first failure undoes all.
 *
 *     tasks: () => [together([nginxconf({ ... }), siteFiles({ ... })]), logrotate({ ... })]
 *
 * Tasks that `--tags` or `--skip-tags` leave out are left out here too. A list within the list becomes part of it.
 * @throws SakError `invalid-playbook` where it is given something else than a list of tasks
 */
export function together(tasks: TaskList): readonly Task[] {
  if (!Array.isArray(tasks)) {
    throw new SakError('invalid-playbook', 'together takes a list of tasks', { hint: 'together([taskA, taskB])' })
  }
  const transaction = Symbol('together')
  return flatten(tasks).map(task => ({ ...task, transaction }))
}
