import type { DirectoryState, FileState, LinkState, UnknownState } from './file.ts'
import type { Duration } from './units.ts'

/** What a step does to those who use the host, least first. `data` may lose data or takes the host's memory or disk. */
export const impacts = ['none', 'reload', 'restart', 'data'] as const
export type Impact = (typeof impacts)[number]

/** A program to run: its arguments, whose hands it needs, what goes to its standard input. */
export interface Command {
  readonly argv: readonly string[]
  /** Default root. */
  readonly as?: string
  readonly stdin?: string
  /** More environment; the rest is a clean one. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Writes a file: to a temporary name beside the target, with its owner and mode, then renamed over it. Undone by itself.
 * Mode, owner or group left out: those of the file that is there, else 0644, root, root. Links at the target are followed,
 * unless they are to be replaced.
 */
export interface WriteStep {
  readonly kind: 'write'
  readonly path: string
  readonly content: string
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  /** A command that must succeed before the rename; `{}` in its argv is the temporary file. */
  readonly validate?: Command & { readonly refuse?: string }
  /** The content is one character a byte. */
  readonly binary?: true
  /** A link at the path is replaced by the file. */
  readonly replaceLink?: boolean
  /** The content that this one was made from: if the file holds another by now, the step fails. */
  readonly madeFrom?: string
  readonly impact: 'none'
}

/** Removes a file. Undone by itself. */
export interface RemoveStep {
  readonly kind: 'remove'
  readonly path: string
  readonly impact: 'none'
}

/** Makes a directory, or gives the one that is there its mode, owner and group. Undone by itself. */
export interface DirectoryStep extends DirectoryState {
  readonly impact: 'none'
}

/** Makes a symbolic link, in place of a link or file that is there. Undone by itself. */
export interface LinkStep extends LinkState {
  readonly impact: 'none'
}

/** Removes a directory. Undone by itself: until the task is committed it only has another name. */
export interface RemoveDirectoryStep {
  readonly kind: 'remove-directory'
  readonly path: string
  /** With all that is in it; else it must be empty. */
  readonly recurse: boolean
  readonly impact: Impact
}

/** Runs a program. `title` says what for, where the command line does not: `'check the whole configuration (nginx -t)'`. */
export interface RunStep extends Command {
  readonly kind: 'run'
  readonly title?: string
  readonly impact: Impact
  /**
   * How it goes back: commands that undo it, `resumable` (safe to do again), or `none`. The commands also run where the step
   * failed before it did anything, and once more where they were cut off: then they must do no harm and not fail.
   */
  readonly undo: readonly Command[] | 'resumable' | 'none'
  /** An extended regular expression (grep -E): a line of the output that matches means failure, whatever the exit code. */
  readonly refuse?: string
  /** For itself and for each command that undoes it. Default 60s. */
  readonly timeout?: Duration
  /**
   * Files and directories as the program will leave them, near enough for the checks of later tasks to foresee; a later
   * check that reads what is `unknown` makes its task `deferred`. Never written by us.
   * `/var/lib/dpkg/status` unknown says that packages are installed: what a later task lacks may come with them.
   */
  readonly leaves?: readonly (FileState | DirectoryState | UnknownState)[]
}

/** Acts on a systemd unit. Undone by itself: after a failure the unit is activated again, with the files put back. */
export interface ServiceStep {
  readonly kind: 'service'
  readonly name: string
  readonly action: 'reload' | 'restart' | 'start' | 'stop' | 'enable' | 'disable' | 'daemon-reload'
  /** Whose: a unit of this user's own systemd (`systemctl --user`), which must be running. Default: the system's. */
  readonly user?: string
  readonly impact: Impact
}

/** Waits on the host until a program exits with the code, and prints what is expected, or the time is over (a failure). */
export interface WaitForStep extends Command {
  readonly kind: 'waitFor'
  readonly title?: string
  /** Default 0. */
  readonly exit?: number
  /** An extended regular expression that a line of the output must match. */
  readonly output?: string
  /** Default 30s. */
  readonly within?: Duration
  readonly impact: 'none'
}

/** One thing that apply does on a host: data that a plan holds, a reviewer reads and the engine executes. */
export type Step =
  | WriteStep
  | RemoveStep
  | DirectoryStep
  | LinkStep
  | RemoveDirectoryStep
  | RunStep
  | ServiceStep
  | WaitForStep

/** Brings a file to its desired state: a `write`, or a `remove` where the content is null. */
export function write(
  desired: FileState,
  options: Pick<WriteStep, 'validate' | 'replaceLink' | 'madeFrom'> = {},
): WriteStep | RemoveStep {
  const { path, content, mode, owner, group, binary } = desired
  if (content === null) return remove(path)
  const attributes = {
    ...(mode && { mode }),
    ...(owner && { owner }),
    ...(group && { group }),
    ...(binary && { binary }),
  }
  return { kind: 'write', path, content, ...attributes, ...options, impact: 'none' }
}

export function remove(path: string): RemoveStep {
  return { kind: 'remove', path, impact: 'none' }
}

/** Makes a directory, or mends the mode, owner and group of the one that is there. */
export function makeDirectory(desired: DirectoryState): DirectoryStep {
  return { ...desired, impact: 'none' }
}

export function makeLink(desired: LinkState): LinkStep {
  return { ...desired, impact: 'none' }
}

/** Removes a directory: an empty one, or with `recurse` all that is in it too (impact `data`). */
export function removeDirectory(path: string, { recurse = false } = {}): RemoveDirectoryStep {
  return { kind: 'remove-directory', path, recurse, impact: recurse ? 'data' : 'none' }
}

/** Runs a program. Says how it goes back: `undo` has no default, because forgetting it is how hosts end half-changed. */
export function run(
  argv: readonly string[],
  options: Omit<RunStep, 'kind' | 'argv' | 'impact'> & { impact?: Impact },
): RunStep {
  return { kind: 'run', argv, impact: 'none', ...options }
}

const serviceImpact = {
  reload: 'reload',
  restart: 'restart',
  start: 'none',
  stop: 'restart',
  enable: 'none',
  disable: 'none',
  'daemon-reload': 'none',
} as const satisfies Record<ServiceStep['action'], Impact>

export function service(name: string, action: ServiceStep['action'], options: { user?: string } = {}): ServiceStep {
  return { kind: 'service', name, action, ...options, impact: serviceImpact[action] }
}

/** Tells systemd to read its units (and fstab) again. */
export function daemonReload(options: { user?: string } = {}): ServiceStep {
  return service('', 'daemon-reload', options)
}

export function waitFor(
  argv: readonly string[],
  options: Omit<WaitForStep, 'kind' | 'argv' | 'impact'> = {},
): WaitForStep {
  return { kind: 'waitFor', argv, ...options, impact: 'none' }
}

/** The greatest impact among steps. */
export function greatestImpact(steps: readonly Pick<Step, 'impact'>[]): Impact {
  return steps.reduce<Impact>((most, step) => (exceeds(step.impact, most) ? step.impact : most), 'none')
}

/** Whether an impact is more than what is allowed. */
export function exceeds(impact: Impact, allowed: Impact): boolean {
  return impacts.indexOf(impact) > impacts.indexOf(allowed)
}

const kinds: ReadonlySet<unknown> = new Set<Step['kind']>([
  'write',
  'remove',
  'directory',
  'link',
  'remove-directory',
  'run',
  'service',
  'waitFor',
])

/** Whether a value is a step: of a kind that there is, on absolute paths, with arguments that are texts. */
export function isStep(value: unknown): value is Step {
  if (typeof value !== 'object' || value === null || !('kind' in value && kinds.has(value.kind))) return false
  if ('path' in value) return typeof value.path === 'string' && value.path.startsWith('/')
  if ('argv' in value) return isArgv(value.argv)
  return 'action' in value
}

/** Whether a value is a program with its arguments. */
export const isArgv = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every(arg => typeof arg === 'string')

/** A step on one line: what it runs, exactly. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'write':
    case 'remove':
    case 'directory':
    case 'remove-directory':
      return `${step.kind} ${step.path}`
    case 'link':
      return `link ${step.path} -> ${step.target}`
    case 'service': {
      const line = `service ${step.action} ${step.name}`.trimEnd()
      return step.user === undefined ? line : `${line} (of ${step.user})`
    }
    case 'run':
    case 'waitFor':
      return `${step.kind} ${step.argv.join(' ')}`
  }
}
