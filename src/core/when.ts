import { isBlocked, isSakError, SakError } from './errors.ts'
import { factsOf, type HostFacts, type KnownFacts } from './facts.ts'

/** Values by name, as variables of a host or of the command line come. */
export type Vars = Readonly<Record<string, unknown>>

/** What a playbook knows of the host that its tasks are for. */
export interface PlaybookHost {
  readonly name: string
  readonly groups: readonly string[]
  readonly vars: Vars
}

/** A host once its facts are known. */
export interface KnownHost extends PlaybookHost {
  readonly facts: HostFacts
}

/**
 * Whether a task is wanted on a host: known when the playbook loads, or a pure function of the host and its facts, as in
 * `host => host.facts.os.id === 'debian' && host.facts.ramMiB >= 4000`.
 */
export type When = boolean | ((host: KnownHost) => boolean)

/** Why a host does not want a task: the condition and the facts that decided it; undefined where it is wanted. Throws SakError. */
export function whyUnwanted(conditions: readonly When[], host: PlaybookHost, known: KnownFacts): string | undefined {
  for (const condition of conditions) {
    const used = new Map<string, unknown>()
    const facts = factsOf(known, (name, value) => used.set(name, value))
    if (!isTrue(condition, { ...host, facts })) return describe(condition, used)
  }
  return undefined
}

function isTrue(condition: When, host: KnownHost): boolean {
  if (typeof condition === 'boolean') return condition
  const answer: unknown = answerOf(condition, host)
  if (typeof answer === 'boolean') return answer
  throw new SakError(
    'invalid-playbook',
    `\`when: ${sourceOf(condition)}\` must answer true or false, not ${typeof answer}`,
  )
}

function answerOf(condition: Exclude<When, boolean>, host: KnownHost): unknown {
  try {
    return condition(host)
  } catch (cause) {
    if (isSakError(cause) && isBlocked(cause)) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('invalid-playbook', `\`when: ${sourceOf(condition)}\` throws: ${why}`, { cause })
  }
}

function describe(condition: When, used: ReadonlyMap<string, unknown>): string {
  const values = [...used].map(
    ([name, value]) => `${name} is ${Array.isArray(value) ? value.join(' ') : String(value)}`,
  )
  return values.length === 0 ? sourceOf(condition) : `${sourceOf(condition)} (${values.join(', ')})`
}

/** A condition as its author wrote it, on one line: of an arrow function what it answers. */
function sourceOf(condition: When): string {
  const text = String(condition).replaceAll(/\s+/g, ' ')
  const body = text.replace(/^(?:\([^()]*\)|[\w$]+) ?=> ?(?!\{)/, '')
  return body.length > 100 ? `${body.slice(0, 99)}…` : body
}
