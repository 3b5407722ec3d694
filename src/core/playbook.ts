import { z } from 'zod'
import type { AdviceOptions } from './advice.ts'
import { authorPlace, lookAt } from './author-place.ts'
import { isSakError, SakError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { refuseLateWrites } from './order.ts'
import { refuseConflicts } from './ownership.ts'
import { asVars, checkGiven, mergeVars, parsePlaybookParams, pick } from './playbook-params.ts'
import type { Task } from './task.ts'
import {
  type Expandable,
  flattenTasks,
  type OptionedTasks,
  playbookBrand,
  type Replacement,
  replaceTasks,
  type TaskList,
  tasks,
} from './task-list.ts'
import { type PlaybookHost, type Vars, whyUnwanted } from './when.ts'

export { mergeVars } from './playbook-params.ts'
export type { PlaybookHost, Vars } from './when.ts'

export interface PlaybookDefinition<Schema extends z.ZodObject> {
  readonly name: string
  /** One sentence for the reference: what it is for. */
  readonly description?: string
  /** The hosts it is for, as a host pattern. Default `all`. */
  readonly hosts?: string
  /** Its params, with every default. */
  readonly params?: Schema
  /** What of the advice on its tasks is not to be given. */
  readonly advice?: AdviceOptions
  /** Pure: the tasks of a host, in order. Falsy ones are left out, lists are flattened, a playbook stands for its tasks. */
  tasks(params: z.output<Schema>, host: PlaybookHost): TaskList | OptionedTasks
}

/** What decides the tasks of a host. */
export interface Scope {
  readonly host: PlaybookHost
  /** Params from the command line: those count that a playbook has. */
  readonly commandLine: Vars
  /** Whether the host is one of a host pattern. */
  readonly isFor: (pattern: string) => boolean
}

/** The tasks of a host before they are held against each other, and the names of all params that had a say. */
export interface Expansion {
  readonly tasks: readonly Task[]
  readonly names: readonly string[]
  /** The params of the playbook, and then of each within it. */
  readonly params: readonly ResolvedParams[]
}

/** The params of a playbook for a host, as its tasks get them. */
export interface ResolvedParams {
  readonly playbook: string
  readonly schema: z.ZodObject
  readonly given: Vars
  readonly params: Vars
}

/** An ordered list of tasks for a group of hosts, with its params set. */
export interface Playbook<Input = unknown> extends Expandable {
  readonly name: string
  readonly description: string | undefined
  readonly hosts: string
  /** The schema of its params. */
  readonly params: z.ZodObject
  /** The params that were set, by calling it and by `with`. */
  readonly given: Vars
  /** The same playbook with more params set: objects are merged deeply, all else is replaced. */
  with(overrides: DeepPartial<Input>): Playbook<Input>
  /**
   * The same playbook with another task in the place of one, or several, or with `false` none:
   * `replace('sysctl', task => [task, motd()])`. Making its tasks throws `invalid-playbook` where there is none of that label.
   */
  replace(label: string, other: Replacement): Playbook<Input>
  /**
   * The tasks for a host. Params come, the later the stronger, from: defaults, the playbook, the host's groups, the host, the
   * command line; of a host's variables those count that have the name of a param. `isFor` says whether the host is one of a host
   * pattern, for playbooks within this one; default: its name and its groups are.
   * @throws SakError `invalid-params` or `invalid-playbook`
   */
  tasksFor(host: PlaybookHost, commandLine?: Vars, isFor?: Scope['isFor']): readonly Task[]
  /** The same for a playbook that this one is within. */
  expand(scope: Scope): Expansion
}

/** A playbook whose params can be set: call it with them, or with nothing for its defaults. */
export interface PlaybookFactory<Schema extends z.ZodObject = z.ZodObject> extends Expandable {
  (params?: z.input<Schema>): Playbook<z.input<Schema>>
  readonly playbookName: string
  readonly params: Schema
}

export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T

const noParams = z.strictObject({})

/** Defines a playbook. The answer is a function from params to a playbook, and can be exported as it is. */
export function definePlaybook<Schema extends z.ZodObject = typeof noParams>(
  definition: PlaybookDefinition<Schema>,
): PlaybookFactory<Schema> {
  refuseOtherTasks(definition)
  // without params the type parameter is that of noParams
  const schema = (definition.params ?? noParams) as Schema
  const factory = (params?: z.input<Schema>) => makePlaybook(definition, schema, asVars(params), new Map())
  return Object.assign(factory, {
    [playbookBrand]: true as const,
    playbookName: definition.name,
    params: schema,
  })
}

type Replacements = ReadonlyMap<string, Replacement>

function makePlaybook<Schema extends z.ZodObject>(
  definition: PlaybookDefinition<Schema>,
  schema: Schema,
  given: Vars,
  replacements: Replacements,
): Playbook<z.input<Schema>> {
  const { name, hosts = 'all' } = definition
  const { silence = {} } = definition.advice ?? {}
  checkGiven(name, schema, given)
  const expand = ({ host, commandLine, isFor }: Scope): Expansion => {
    const own = Object.keys(schema.shape)
    const names = new Set(own)
    const fromOutside = mergeVars(pick(host.vars, own), pick(commandLine, own))
    const params = parsePlaybookParams(name, schema, mergeVars(given, fromOutside))
    const resolved: ResolvedParams[] = [{ playbook: name, schema, given, params: asVars(params) }]
    const within = (item: Expandable) => {
      const inner = asPlaybook(item)
      for (const param of Object.keys(inner.params.shape)) names.add(param)
      if (!isFor(inner.hosts)) return []
      const expansion = inner.expand({ host, commandLine, isFor })
      for (const param of expansion.names) names.add(param)
      resolved.push(...expansion.params)
      return expansion.tasks
    }
    const expanded = replaceTasks(
      flattenTasks([tasks([tasksOf(() => definition.tasks(params, host), name, host)], { silence })], within),
      replacements,
      within,
    )
    return { tasks: expanded, names: [...names], params: resolved }
  }
  return {
    [playbookBrand]: true,
    name,
    description: definition.description,
    hosts,
    params: schema,
    given,
    with: overrides => makePlaybook(definition, schema, mergeVars(given, asVars(overrides)), replacements),
    replace: (label, other) => makePlaybook(definition, schema, given, new Map([...replacements, [label, other]])),
    tasksFor: (host, commandLine = {}, isFor = isNamed(host)) => {
      const expanded = expandKnown(name, schema, () => expand({ host, commandLine, isFor }), Object.keys(commandLine))
      const where = `playbook ${name}, host ${host.name}`
      refuseConflicts(expanded, where)
      refuseLateWrites(expanded, where)
      return expanded.map(task => boundTo(host, task))
    },
    expand,
  }
}

/** The names and groups of a host, for want of an inventory. */
const isNamed = (host: PlaybookHost) => (pattern: string) =>
  pattern === 'all' || pattern === host.name || host.groups.includes(pattern)

/** The tasks; SakError `invalid-params` for names that are no param's, also where one is missing because its name is misspelt. */
function expandKnown(name: string, schema: z.ZodObject, expand: () => Expansion, given: readonly string[]) {
  const own = Object.keys(schema.shape)
  const refuse = (known: readonly string[], mayBeOthers: boolean) => {
    const unknown = given.find(each => !known.includes(each) && !(mayBeOthers && didYouMean(each, known) === undefined))
    if (unknown === undefined) return
    const hint = didYouMean(unknown, known) ?? (known.length > 0 ? `known: ${known.join(', ')}` : 'it has no params')
    throw new SakError('invalid-params', `playbook ${name}: no param is called "${unknown}". ${hint}`)
  }
  try {
    const { tasks, names } = expand()
    refuse(names, false)
    return tasks
  } catch (error) {
    refuse(own, true)
    throw error
  }
}

/** A task that knows the host whose facts decide whether it is wanted. */
function boundTo(host: PlaybookHost, task: Task): Task {
  if (task.when.length === 0) return task
  return { ...task, whyUnwanted: facts => whyUnwanted(task.when, host, facts) }
}

/** A playbook by itself, or one with its defaults. Throws SakError for one of a version that could not be within another. */
function asPlaybook(item: Expandable): Playbook {
  if (isPlaybookFactory(item)) return item()
  if (isPlaybook(item)) return item
  throw new SakError('invalid-playbook', 'a playbook within another is of a kind that is not known')
}

export function isPlaybook(value: unknown): value is Playbook {
  return typeof value === 'object' && value !== null && playbookBrand in value
}

export function isPlaybookFactory(value: unknown): value is PlaybookFactory {
  return typeof value === 'function' && playbookBrand in value
}

export const nameOf = (playbook: Playbook | PlaybookFactory): string =>
  isPlaybookFactory(playbook) ? playbook.playbookName : playbook.name

/** What the author's function answers; what it throws is the author's to mend, and is said with its place. */
function tasksOf<List>(call: () => List, name: string, host: PlaybookHost): List {
  try {
    return call()
  } catch (cause) {
    if (isSakError(cause) || !(cause instanceof Error)) throw cause
    const place = authorPlace(cause) ?? 'its tasks'
    const hint = `look at ${place}; a task, together([...]) or a playbook stands in the list as it is, without "..."`
    throw new SakError('invalid-playbook', `playbook ${name}: its tasks for ${host.name} cannot be made: ${cause}`, {
      hint,
      cause,
    })
  }
}

/** Types are not checked where a playbook is loaded. */
function refuseOtherTasks({ name, tasks }: { name: string; tasks: unknown }): void {
  if (typeof tasks === 'function') return
  const found = Array.isArray(tasks) ? 'a list' : String(tasks)
  throw new SakError(
    'invalid-playbook',
    `playbook ${name}: its tasks are ${found}, and must be a function that answers them`,
    {
      hint: lookAt(authorPlace(), 'tasks: () => [sysctl({ ... })]'),
    },
  )
}
