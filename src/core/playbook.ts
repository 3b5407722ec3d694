import { z } from 'zod'
import { SakError } from './errors.ts'
import { describeIssues } from './issues.ts'
import { isSecret } from './secret.ts'
import { isTask, type Task } from './task.ts'

const playbookBrand = Symbol.for('sak-reconcile.playbook')

/** Values by name, as variables of a host or of the command line come. */
export type Vars = Readonly<Record<string, unknown>>

/** What a playbook knows of the host that its tasks are for. */
export interface PlaybookHost {
  readonly name: string
  readonly groups: readonly string[]
  readonly vars: Vars
}

/** A list of tasks within the list, for composing. */
export type TaskList = readonly (Task | TaskList | false | undefined)[]

export interface PlaybookDefinition<Schema extends z.ZodObject> {
  readonly name: string
  /** One sentence for the reference: what it is for. */
  readonly description?: string
  /** The hosts it is for, as a host pattern. Default `all`. */
  readonly hosts?: string
  /** Its params, with every default. */
  readonly params?: Schema
  /** Pure: the tasks of a host, in order. Falsy ones are left out, lists are flattened. */
  tasks(params: z.output<Schema>, host: PlaybookHost): TaskList
}

/** An ordered list of tasks for a group of hosts, with its params set. */
export interface Playbook<Input = unknown> {
  readonly [playbookBrand]: true
  readonly name: string
  readonly description: string | undefined
  readonly hosts: string
  readonly params: z.ZodObject
  /** The same playbook with more params set: objects are merged deeply, all else is replaced. */
  with(overrides: DeepPartial<Input>): Playbook<Input>
  /**
   * The tasks for a host. Params come, the later the stronger, from: defaults, the playbook, the host's groups, the host, the
   * command line; of a host's variables those count that have the name of a param.
   * @throws SakError `invalid-params` or `invalid-playbook`
   */
  tasksFor(host: PlaybookHost, commandLine?: Vars): readonly Task[]
}

/** A playbook whose params can be set: call it with them, or with nothing for its defaults. */
export interface PlaybookFactory<Schema extends z.ZodObject = z.ZodObject> {
  (params?: z.input<Schema>): Playbook<z.input<Schema>>
  readonly [playbookBrand]: true
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
  // without params the type parameter is that of noParams
  const schema = (definition.params ?? noParams) as Schema
  const names = Object.keys(schema.shape)
  const make = (given: Vars): Playbook<z.input<Schema>> => {
    checkGiven(definition.name, schema, given)
    return {
      [playbookBrand]: true,
      name: definition.name,
      description: definition.description,
      hosts: definition.hosts ?? 'all',
      params: schema,
      with: overrides => make(mergeVars(given, asVars(overrides))),
      tasksFor: (host, commandLine = {}) => {
        const params = parse(definition.name, schema, mergeVars(mergeVars(given, pick(host.vars, names)), commandLine))
        return checkTasks(definition.name, host, flatten(definition.tasks(params, host)))
      },
    }
  }
  const factory = (params?: z.input<Schema>) => make(asVars(params))
  return Object.assign(factory, {
    [playbookBrand]: true as const,
    playbookName: definition.name,
    params: schema,
  })
}

export function isPlaybook(value: unknown): value is Playbook {
  return typeof value === 'object' && value !== null && playbookBrand in value
}

export function isPlaybookFactory(value: unknown): value is PlaybookFactory {
  return typeof value === 'function' && playbookBrand in value
}

export const nameOf = (playbook: Playbook | PlaybookFactory): string =>
  isPlaybookFactory(playbook) ? playbook.playbookName : playbook.name

function parse<S extends z.ZodType>(name: string, schema: S, params: unknown): z.output<S> {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  throw invalidParams(name, schema, parsed.error)
}

/** What is given must be right at once; what is not may still come from a host's variables or the command line. */
function checkGiven(name: string, schema: z.ZodObject, given: Vars): void {
  const { error } = schema.safeParse(given)
  const isGiven = (path: readonly PropertyKey[]) =>
    path.reduce<unknown>((value, key) => (isRecord(value) ? value[String(key)] : value), given) !== undefined
  const wrong = error?.issues.filter(({ path }) => isGiven(path))
  if (wrong && wrong.length > 0) throw invalidParams(name, schema, new z.ZodError(wrong))
}

function invalidParams(name: string, schema: z.ZodType, error: z.ZodError): SakError {
  return new SakError('invalid-params', `playbook ${name}: ${describeIssues(error, schema)}`)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)
const asVars = (value: unknown): Vars => (isRecord(value) ? value : {})
const pick = (vars: Vars, names: readonly string[]): Vars =>
  Object.fromEntries(Object.entries(vars).filter(([name]) => names.includes(name)))

/** Objects are merged deeply; anything else, lists too, is replaced. */
export function mergeVars(base: Vars, over: Vars): Vars {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    if (value !== undefined) merged[key] = isRecord(before) && isRecord(value) ? mergeVars(before, value) : value
  }
  return merged
}

/** The tasks of a list, of lists within it too. */
export function flatten(list: TaskList): Task[] {
  return list.flatMap(item => {
    if (item === undefined || item === false) return []
    return isTask(item) ? [item] : flatten(item)
  })
}

/** Labels must tell tasks apart, no two may own the same thing, and those that go together must stand together. */
function checkTasks(name: string, host: PlaybookHost, tasks: readonly Task[]): readonly Task[] {
  const labels = new Set<string>()
  const owners = new Map<string, Task>()
  const stray = tasks.find(({ transaction }, index) => {
    const before = tasks.slice(0, index).findLastIndex(other => other.transaction === transaction)
    return transaction !== undefined && before >= 0 && before < index - 1
  })
  if (stray) {
    throw new SakError(
      'invalid-playbook',
      `playbook ${name}, host ${host.name}: another task stands between "${stray.label}" and those it goes together with`,
      { hint: 'put the list that together([...]) answers into the playbook as it is' },
    )
  }
  for (const task of tasks) {
    if (labels.has(task.label)) {
      throw new SakError(
        'invalid-playbook',
        `playbook ${name}, host ${host.name}: two tasks are called "${task.label}"`,
        {
          hint: `give one another label: ${task.module}({ ... }, { label: "..." })`,
        },
      )
    }
    labels.add(task.label)
    for (const thing of task.owns) {
      const owner = owners.get(thing)
      if (owner) {
        throw new SakError(
          'invalid-playbook',
          `playbook ${name}, host ${host.name}: the tasks "${owner.label}" and "${task.label}" both own ${thing}`,
          { hint: 'only one task may rule a thing: merge the two, or give one another path' },
        )
      }
      owners.set(thing, task)
    }
  }
  return tasks
}
