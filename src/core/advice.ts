import { z } from 'zod'
import type { HostFacts } from './facts.ts'

/** What is known to hurt, or contradicts itself, in what a playbook sets. It changes nothing, not even an exit code. */
export const Advice = z.object({
  id: z.string(),
  host: z.string(),
  task: z.string(),
  /** What was found, and why it hurts. */
  message: z.string(),
  suggestion: z.string(),
  /** Where that is written, or what was measured. */
  source: z.string(),
})
export type Advice = z.infer<typeof Advice>

/** Advice that somebody has read and decided otherwise. */
export const SilencedAdvice = z.object({ id: z.string(), host: z.string(), task: z.string(), reason: z.string() })
export type SilencedAdvice = z.infer<typeof SilencedAdvice>

/** Why advice is not heeded, by its id. */
export type Silence = Readonly<Record<string, string>>
export const Silence = z.record(z.string(), z.string().min(1, { error: 'expected the reason' }))

/** What of the advice a run is not to give. */
export interface AdviceOptions {
  /** Advice that was read and is not heeded: its id, and why. An id that there is none of is an error. */
  readonly silence?: Silence
}
export const AdviceOptions = z.strictObject({
  silence: Silence.optional().describe('Advice that was read and is not heeded: its id, and why.'),
})

/** What a rule found. */
export interface Finding {
  readonly message: string
  /** The value to take instead. */
  readonly suggestion: string
}

/** What a rule sees beside the params of its own task. */
export interface Surroundings {
  /** Using one that the host does not tell ends the rule without a finding. */
  readonly facts: HostFacts
  /** The host's other tasks of a module, with what the schema takes of their params; those that do not fit it are left out. */
  tasksOf<Schema extends z.ZodType>(
    module: string,
    schema: Schema,
  ): readonly { readonly label: string; readonly params: z.output<Schema> }[]
}

/** A check of a module's params against each other, against the host, and against the tasks of other modules. Pure. */
export interface AdviceRule<Params> {
  /** By which it is silenced: `heap-above-restart`. */
  readonly id: string
  readonly source: string
  check(params: Params, around: Surroundings): readonly Finding[]
}

/** A rule that knows the params of its task. */
export interface TaskRule {
  readonly id: string
  readonly source: string
  check(around: Surroundings): readonly Finding[]
}
