import { SakError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { isTask, type Task, type TaskOptions } from './task.ts'

const listBrand = Symbol.for('sak-reconcile.tasks')
export const playbookBrand = Symbol.for('sak-reconcile.playbook')

/** A playbook, or what makes one, as other playbooks see it. */
export interface Expandable {
  readonly [playbookBrand]: true
}

/** Tasks that share options; made by `tasks`. */
export interface OptionedTasks {
  readonly [listBrand]: true
  readonly list: TaskList
  readonly options: TaskOptions
  /** Makes them one transaction: see `together`. */
  readonly transaction?: symbol
}

/** What may stand in the list of a playbook. A playbook stands for its tasks, falsy items are left out. */
export type TaskItem = Task | Expandable | OptionedTasks | TaskList | false | undefined

/** A list of tasks; lists within it are flattened. */
export type TaskList = readonly TaskItem[]

/**
 * Tasks that share options: `tasks([nginxconf(...), logrotate(...)], { tags: ['web'], when: host => host.groups.includes('web') })`.
 * Tags are added to those of each task, `when` must hold beside its own, `label` stands before its label (`web/nginxconf`),
 * `keepGoing` and `silence` count for those that say nothing of it.
 */
export function tasks(list: TaskList, options: TaskOptions = {}): OptionedTasks {
  return { [listBrand]: true, list, options }
}

/**
 * Makes tasks one transaction: all of them are applied, or none. Each keeps its steps in their order; what several of them do to a
 * service is done once, by the greatest action, when the files of all are in place. The first failure undoes all.
 *
 *     tasks: () => [together([nginxconf({ ... }), siteFiles({ ... })]), logrotate({ ... })]
 *
 * Tasks that `--tags`, `--skip-tags` or `when` leave out are left out here too. A list within the list becomes part of it.
 * @throws SakError `invalid-playbook` where it is given something else than a list of tasks
 */
export function together(list: TaskList): OptionedTasks {
  if (!Array.isArray(list)) {
    throw new SakError('invalid-playbook', 'together takes a list of tasks', { hint: 'together([taskA, taskB])' })
  }
  return { ...tasks(list), transaction: Symbol('together') }
}

/** All tasks of a list in order, with the options of the lists that they are in. `expand` gives the tasks of a playbook. */
export function flattenTasks(list: TaskList, expand: (playbook: Expandable) => readonly Task[]): Task[] {
  return list.flatMap(item => {
    if (item === undefined || item === false) return []
    if (isTask(item)) return [item]
    if (isOptioned(item)) return flattenTasks(item.list, expand).map(task => withOptions(task, item))
    if (isExpandable(item)) return [...expand(item)]
    if (Array.isArray(item)) return flattenTasks(item, expand)
    throw new SakError('invalid-playbook', `tasks() answers ${nameOf(item)} where a task should be`, {
      hint: 'a task is what calling a module gives: sysctl({ settings: { ... } })',
    })
  })
}

function withOptions(task: Task, { options, transaction }: OptionedTasks): Task {
  const { label, tags = [], when, keepGoing, silence } = options
  return {
    ...task,
    ...(transaction !== undefined && { transaction }),
    ...(label !== undefined && { label: `${label}/${task.label}` }),
    tags: [...new Set([...task.tags, ...tags])],
    when: when === undefined ? task.when : [...task.when, when],
    keepGoing: task.keepGoing || keepGoing === true,
    silence: { ...silence, ...task.silence },
  }
}

/** What stands in the place of a task: other items, `false` for none, or a function of the task that was there. */
export type Replacement = TaskItem | ((task: Task) => TaskItem)

/** Tasks with others in the places of those that are named. Throws SakError `invalid-playbook` for a label that is not there. */
export function replaceTasks(
  list: readonly Task[],
  replacements: ReadonlyMap<string, Replacement>,
  expand: (playbook: Expandable) => readonly Task[],
): readonly Task[] {
  const labels = list.map(task => task.label)
  const unknown = [...replacements.keys()].find(label => !labels.includes(label))
  if (unknown !== undefined) {
    throw new SakError('invalid-playbook', `there is no task "${unknown}" to replace`, {
      hint: didYouMean(unknown, labels) ?? `its tasks are: ${labels.join(', ')}`,
    })
  }
  return list.flatMap(task => {
    const other = replacements.get(task.label)
    if (!replacements.has(task.label)) return [task]
    const others = flattenTasks([typeof other === 'function' && !isExpandable(other) ? other(task) : other], expand)
    const { transaction } = task
    return transaction === undefined ? others : others.map(each => ({ ...each, transaction }))
  })
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'
const isOptioned = (value: unknown): value is OptionedTasks => isObject(value) && listBrand in value
const isExpandable = (value: unknown): value is Expandable => isObject(value) && playbookBrand in value

function nameOf(value: unknown): string {
  if (!isObject(value)) return value === null ? 'null' : `a ${typeof value}`
  return 'moduleName' in value ? `the module ${String(value.moduleName)} itself` : `a ${typeof value}`
}
