import type { Silence, TaskRule } from './advice.ts'
import type { Footprint } from './budget.ts'
import type { SakError } from './errors.ts'
import type { HostFacts, KnownFacts } from './facts.ts'
import type { Host } from './host.ts'
import type { Impact, Step } from './step.ts'
import type { When } from './when.ts'

/** Marks tasks, so that those of another copy of the package are known. */
export const taskBrand = Symbol.for('sak-reconcile.task')

export interface TaskOptions {
  /** A name for the task, where a playbook has several of a module. Default: the module's name. */
  readonly label?: string
  /** For `--tags` and `--skip-tags`. */
  readonly tags?: readonly string[]
  /** Only where this is true; else the task is `skipped`, takes no memory of the budget and rules nothing. Default true. */
  readonly when?: When
  /** Go on with the host's later tasks when this one fails. */
  readonly keepGoing?: boolean
  /** Advice on it that was read and is not heeded: its id, and why. */
  readonly silence?: Silence
}

/** One key of a task that is not as it should be. */
export interface KeyChange {
  readonly key: string
  readonly before: unknown
  readonly after: unknown
}

/** What a task found on a host: what differs, what stands in the way, and the steps that would mend it. */
export interface Assessment {
  readonly current: object
  readonly desired: object
  readonly changes: readonly KeyChange[]
  readonly blocked: readonly SakError[]
  readonly steps: readonly Step[]
}

/** Changes the texts in plain data. */
export type Settle = <T>(value: T) => T

/** A module with params: one thing that a host should have. Made by calling a module. */
export interface Task {
  readonly [taskBrand]: true
  readonly module: string
  /** The version of the module, where it says one. */
  readonly moduleVersion?: string
  /** A digest of the module's name, version and params: another one means that the playbook was changed. */
  readonly paramsDigest: string
  /** The params as they were given. */
  readonly input: unknown
  /** The same task with other params. Throws SakError `invalid-params`. */
  withInput(input: unknown): Task
  /** Where its module is defined, as file:line, where that is an author's own code. */
  definedAt?(): string | undefined
  readonly label: string
  readonly tags: readonly string[]
  /** All must be true for the task to be wanted; its own and those of the lists that it is in. */
  readonly when: readonly When[]
  /** Why the host that the playbook made it for does not want it, once its facts are known. Throws SakError for facts that are not. */
  whyUnwanted?(facts: KnownFacts): string | undefined
  readonly keepGoing: boolean
  /** The greatest impact that its steps can have. */
  readonly impact: Impact
  readonly owns: readonly string[]
  /** The files and directories that must be as they should be before it is. */
  readonly follows: readonly string[]
  /** As its module has parsed them. */
  readonly params: unknown
  /** What is checked in its params, against each other and against other tasks. */
  readonly advice?: readonly TaskRule[]
  readonly silence: Silence
  /** Tasks with the same one are applied as one transaction: see `together`. */
  readonly transaction?: symbol
  /** The memory that it lets its services use at most; none for a module that says nothing of it. */
  footprint?(facts: HostFacts): Footprint | undefined
  /** The secrets in its params, by their numbers. */
  readonly secrets?: ReadonlySet<number>
  /** `settle` makes of two tokens for the same text one, in params and in what should be: what a host says has that one. */
  assess(host: Host, settle?: Settle): Promise<Assessment>
}

export function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && taskBrand in value
}
