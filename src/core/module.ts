import type { z } from 'zod'
import type { AdviceRule, TaskRule } from './advice.ts'
import { assess } from './assess.ts'
import { authorPlace, callerOf, lookAt } from './author-place.ts'
import type { Footprint } from './budget.ts'
import type { Changes, Checked, Unreadable } from './change.ts'
import { digestOf } from './digest.ts'
import { isBlocked, isSakError, SakError } from './errors.ts'
import type { HostFacts } from './facts.ts'
import type { Host } from './host.ts'
import { describeIssues } from './issues.ts'
import { secretsIn } from './secret.ts'
import type { Impact, Step } from './step.ts'
import { type Settle, type Task, type TaskOptions, taskBrand } from './task.ts'

const moduleBrand = Symbol.for('sak-reconcile.module')

/** What a module author writes: three functions over params. Only `check` sees a host, and it can only read. */
export interface ModuleDefinition<Schema extends z.ZodType, C extends object, D extends { [K in keyof C]: unknown }> {
  /** The module's name, and the label of its tasks unless they have one. */
  readonly name: string
  /** The version of the package that it comes in: a saved plan is not applied by another one. */
  readonly version?: string
  /** One sentence for the reference: what it keeps as it should be. */
  readonly description: string
  /** The params. Every default is here; `.describe()` each. */
  readonly params: Schema
  /** The greatest impact that `apply` can have, for when its steps are not known yet. */
  readonly impact: Impact
  /** Pure. The same for given params, where these decide it. */
  impactOf?(params: z.output<Schema>): Impact
  /** Params of a usual use, for the reference. */
  readonly example?: z.input<Schema>
  /** What each key of the check holds, in a few words, for the reference: `{ saved: 'the file', running: 'what the kernel uses' }`. */
  readonly keys?: { readonly [K in keyof NoInfer<C>]?: string }
  /** The paths and keys that a task rules. Two tasks of a host that own the same thing are an error when the playbook loads. */
  owns(params: z.output<Schema>): readonly string[]
  /** Pure. The files and directories whose changes it acts upon: a later task of the host that owns one is an error when the playbook loads. */
  follows?(params: z.output<Schema>): readonly string[]
  /** Pure. The memory that it lets its services use at most, for the host's budget. */
  footprint?(params: z.output<Schema>, facts: HostFacts): Footprint | undefined
  /** Checks of the params for what is known to hurt: against each other, the host, and the tasks of other modules. */
  readonly advice?: readonly AdviceRule<z.output<Schema>>[]
  /** Reads what is there, and says what should be, under the same keys (`saved`, `running`, `boot`). */
  check(host: Host, params: z.output<Schema>): Promise<Checked<C, D>>
  /** Pure. Names what differs; the default compares key by key. Override where equality is a matter of meaning. */
  diff?(checked: Checked<C, D>, params: z.output<Schema>): Changes<C, D>
  /**
   * For `record --playbook`: params that may say what the host has today, or why there are none, in words. Only reads. Need not be sure:
   * each is checked, and only what is in sync then becomes a task; so leave out what the params cannot say.
   */
  adopt?(host: Host): Promise<Adopted<z.input<Schema>>>
  /** Pure. The steps that turn the changes into the desired state; falsy ones are left out. Never called with no changes. */
  apply(changes: Changes<C, D>, params: z.output<Schema>, current: C): readonly (Step | false | undefined)[]
}

/** Params that a host may have today, one for each task; or a sentence that says why there are none. */
export type Adopted<Input> = readonly Input[] | string

/** Makes a task from params, which it validates at once: a mistake throws a SakError `invalid-params`. */
export interface Module<Schema extends z.ZodType = z.ZodType> {
  (params: z.input<Schema>, options?: TaskOptions): Task
  readonly moduleName: string
  readonly description: string
  readonly params: Schema
  readonly impact: Impact
  readonly example: unknown
  readonly keys: Readonly<Record<string, string | undefined>>
  readonly [moduleBrand]: true
  /** Params that may say what a host has today, not validated; missing where the module cannot tell. */
  adopt?(host: Host): Promise<Adopted<unknown>>
  /** The same for params that come from outside (JSON, a fixture) and have no type yet. */
  parse(params: unknown, options?: TaskOptions): Task
}

/** Defines a module. The answer is a function from params to a task. */
export function defineModule<Schema extends z.ZodType, C extends object, D extends { [K in keyof C]: unknown }>(
  definition: ModuleDefinition<Schema, C, D>,
): Module<Schema> {
  refuseIncomplete(definition)
  const definedAt = callerOf(defineModule)
  const parse = (input: unknown, options: TaskOptions = {}): Task => {
    const label = options.label ?? definition.name
    const params = parseParams({ ...definition, definedAt }, label, input)
    const { footprint } = definition
    return {
      [taskBrand]: true,
      module: definition.name,
      ...(definition.version !== undefined && { moduleVersion: definition.version }),
      paramsDigest: digestOf([definition.name, definition.version ?? null, params]),
      input,
      withInput: other => parse(other, options),
      label,
      tags: options.tags ?? [],
      when: options.when === undefined ? [] : [options.when],
      keepGoing: options.keepGoing ?? false,
      impact: definition.impactOf?.(params) ?? definition.impact,
      owns: definition.owns(params),
      follows: definition.follows?.(params) ?? [],
      params,
      ...(definition.advice && { advice: definition.advice.map(rule => boundTo(params, rule)) }),
      silence: options.silence ?? {},
      secrets: secretsIn(params),
      ...(footprint && { footprint: (facts: HostFacts) => footprint(params, facts) }),
      definedAt,
      assess: async (host, settle = asItIs) =>
        assess({ ...definition, definedAt }, { params: settle(params), host, settle }),
    }
  }
  const { adopt } = definition
  return Object.assign((params: z.input<Schema>, options?: TaskOptions) => parse(params, options), {
    parse,
    ...(adopt && { adopt }),
    moduleName: definition.name,
    description: definition.description,
    params: definition.params,
    impact: definition.impact,
    example: definition.example,
    keys: { ...definition.keys },
    [moduleBrand]: true as const,
  })
}

const asItIs: Settle = value => value

const boundTo = <Params>(params: Params, { id, source, check }: AdviceRule<Params>): TaskRule => ({
  id,
  source,
  check: around => check(params, around),
})

/** Whether a value is a module of this or of another copy of the package. */
export function isModule(value: unknown): value is Module {
  return typeof value === 'function' && moduleBrand in value
}

/** Types are not checked where a playbook is loaded: it may be anything, and its zod may be another. */
function refuseIncomplete({
  name,
  params,
  check,
  apply,
  owns,
}: { [K in keyof ModuleDefinition<z.ZodType, object, object>]?: unknown }): void {
  if (typeof params !== 'object' || params === null || !('_zod' in params)) {
    throw new SakError('invalid-params', `module ${name}: its params are no schema of zod 4`, {
      hint: lookAt(
        authorPlace(),
        "npm install zod@4, then params: z.strictObject({ ... }) with import { z } from 'zod'",
      ),
    })
  }
  const missing = Object.entries({ check, apply, owns }).find(([, part]) => typeof part !== 'function')
  if (!missing) return
  throw new SakError('invalid-params', `module ${name}: it has no function ${missing[0]}`, {
    hint: lookAt(authorPlace(), 'a module is defineModule({ name, description, params, impact, owns, check, apply })'),
  })
}

function parseParams<Schema extends z.ZodType>(
  definition: { name: string; params: Schema; definedAt(): string | undefined },
  label: string,
  input: unknown,
): z.output<Schema> {
  const parsed = definition.params.safeParse(input)
  if (parsed.success) return parsed.data
  const title = label === definition.name ? label : `${definition.name} "${label}"`
  throw new SakError('invalid-params', `${title}: ${describeIssues(parsed.error, definition.params, input)}`, {
    hint: lookAt(authorPlace(), paramsOf(definition.name, definition.definedAt())),
  })
}

const paramsOf = (name: string, definedAt: string | undefined) =>
  definedAt === undefined ? `its params: sak-reconcile modules ${name}` : `its params are defined at ${definedAt}`

/**
 * Takes a read that may not be allowed: `running: await orUnreadable(host.command(...))`.
 * The task is then `blocked`, while its other keys are still compared and shown.
 */
export async function orUnreadable<T>(reading: Promise<T>): Promise<T | Unreadable> {
  try {
    return await reading
  } catch (error) {
    if (isSakError(error) && isBlocked(error)) return { kind: 'unreadable', error }
    throw error
  }
}

/**
 * The reason why a task cannot be judged or done, to throw from `check` or to list in its `blocked`.
 * `message` says what was found and where, `hint` what to do.
 */
export function blocked(
  code: 'needs-root' | 'not-installed' | 'no-such-user' | 'no-such-path' | 'override' | 'unsupported' | 'refused',
  message: string,
  hint?: string,
): SakError {
  return new SakError(code, message, hint === undefined ? {} : { hint })
}
