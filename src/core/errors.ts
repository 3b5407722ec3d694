/** What went wrong, as a name that scripts may rely on. */
export type ErrorCode =
  // mistakes of an author or of the command line: thrown before any host is touched
  | 'usage'
  | 'declined'
  | 'invalid-params'
  | 'invalid-playbook'
  | 'invalid-inventory'
  | 'invalid-config'
  | 'secret-unavailable'
  // a host could not be reached
  | 'unreachable'
  | 'connect-failed'
  | 'connect-timeout'
  | 'host-key-unknown'
  | 'host-key-changed'
  | 'host-key-revoked'
  | 'auth-failed'
  | 'become-failed'
  | 'connection-lost'
  // what a host answered cannot be used
  | 'timeout'
  | 'interrupted'
  | 'answer-too-large'
  | 'answer-broken'
  // a task cannot be judged or done: its status is `blocked`
  | 'needs-root'
  | 'not-installed'
  | 'no-such-user'
  | 'no-such-path'
  | 'override'
  | 'unsupported'
  | 'refused'
  | 'over-budget'
  // what became of another task of the same transaction
  | 'together'
  // a task failed
  | 'read-failed'
  | 'step-failed'
  | 'did-not-converge'
  | 'stale-plan'
  | 'locked'
  // the history of runs cannot be read or kept
  | 'history-broken'
  | 'history-newer'
  | 'history-unusable'
  | 'notify-failed'
  // a rollout stopped
  | 'not-started'
  | 'unhealthy'
  | 'module-bug'

const blockedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'needs-root',
  'not-installed',
  'no-such-user',
  'no-such-path',
  'override',
  'unsupported',
  'refused',
  'over-budget',
])

/** More about an error, for the person who reads it. */
export interface ErrorDetails {
  /** What to do next. */
  readonly hint?: string
  /** What the host said, bounded and without terminal escapes. */
  readonly said?: string
  readonly cause?: unknown
}

const brand = Symbol.for('sak-reconcile.error')

/**
 * The one error class. `code` names what happened, `message` says it, `hint` says what to do next.
 * Two copies of the package may meet in one process, so test with `isSakError`, never with `instanceof`.
 */
export class SakError extends Error {
  readonly [brand] = true
  override readonly name = 'SakError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly said: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.said = details.said
  }
}

/** Whether a value is a SakError of this or of another copy of the package. */
export function isSakError(value: unknown): value is SakError {
  return typeof value === 'object' && value !== null && brand in value
}

/** Whether an error means "cannot be judged or done" (`blocked`) rather than "went wrong" (`failed`). */
export function isBlocked(error: SakError): boolean {
  return blockedCodes.has(error.code)
}
