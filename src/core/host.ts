import type { FileRead, Stat } from './file.ts'
import { isArgv } from './step.ts'
import type { Duration } from './units.ts'

/** What a command gave. Exit code 127 means that there is no such program on the host. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** Whose eyes the command needs. Where the connection cannot be that user, the read fails with `needs-root`. */
  readonly as?: string
  readonly stdin?: string
  /** More environment; the rest is a clean one (PATH, HOME, USER, LC_ALL=C.UTF-8). */
  readonly env?: Readonly<Record<string, string>>
  /**
   * Paths or globs that decide the answer, with a `/` at the end for all that is below: a dry run in which an earlier task writes
   * one of them cannot know it.
   */
  readonly dependsOn?: readonly string[]
  /** What it prints, with exit code 0, once one of those is written, where that is known: the newest file is the one to come. */
  readonly foreseen?: string
  /** Default 60s. A command that takes longer is killed, and the read fails with `timeout`. */
  readonly timeout?: Duration
}

/**
 * A host as `check` sees it: something to read from, never to write to.
 *
 * Reads that are asked in the same tick, by all tasks of the host together, travel in one round trip; equal ones are asked
 * once. What may not be read rejects with a SakError `needs-root`, which makes the task `blocked`; see `orUnreadable`.
 */
export interface Host {
  /** One file, links followed; `content: null` if there is none. */
  file(path: string): Promise<FileRead>
  /** All regular files that match any of the globs (`*`, `?`, `[a-z]`, as `sh` reads them), sorted by path. */
  files(globs: readonly string[]): Promise<readonly FileRead[]>
  /** What is at a path, links followed; `null` if there is nothing. For files whose content is not wanted. */
  stat(path: string): Promise<Stat | null>
  /** Where a symbolic link at the path leads, as it says itself; `null` if there is no link. It may lead nowhere. */
  link(path: string): Promise<string | null>
  /** Runs a program that only reads. Commands of one round trip run side by side. */
  command(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
}

/** A read as data: what the engine batches, records and answers. */
export type Read =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'files'; readonly globs: readonly string[] }
  | { readonly kind: 'stat'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string }
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly options: CommandOptions }

/** The answer to a read, in the shape of its kind. */
export type Answer =
  | { readonly kind: 'file'; readonly file: FileRead }
  | { readonly kind: 'files'; readonly files: readonly FileRead[] }
  | { readonly kind: 'stat'; readonly stat: Stat | null }
  | { readonly kind: 'link'; readonly target: string | null }
  | { readonly kind: 'command'; readonly result: CommandResult }

/** Makes the `Host` that modules see from something that answers reads. */
export function hostFrom(answered: (read: Read) => Promise<Answer>): Host {
  const ask = async (read: Read): Promise<Answer> => {
    refuseWrong(read)
    return answered(read)
  }
  return {
    async file(path) {
      const answer = await ask({ kind: 'file', path })
      if (answer.kind === 'file') return answer.file
      throw mismatch('file', answer)
    },
    async files(globs) {
      const answer = await ask({ kind: 'files', globs })
      if (answer.kind === 'files') return answer.files
      throw mismatch('files', answer)
    },
    async stat(path) {
      const answer = await ask({ kind: 'stat', path })
      if (answer.kind === 'stat') return answer.stat
      throw mismatch('stat', answer)
    },
    async link(path) {
      const answer = await ask({ kind: 'link', path })
      if (answer.kind === 'link') return answer.target
      throw mismatch('link', answer)
    },
    async command(argv, options = {}) {
      const answer = await ask({ kind: 'command', argv, options })
      if (answer.kind === 'command') return answer.result
      throw mismatch('command', answer)
    },
  }
}

/** Types are not checked where a module is loaded: what it asks for may be anything. */
function refuseWrong(read: Read): void {
  if (read.kind === 'command') {
    if (!isArgv(read.argv)) throw new TypeError("host.command takes a list: host.command(['ls', '/etc'])")
  } else if (read.kind === 'files') {
    if (!Array.isArray(read.globs)) throw new TypeError("host.files takes a list: host.files(['/etc/*.conf'])")
  } else if (typeof read.path !== 'string' || !read.path.startsWith('/')) {
    throw new TypeError(`host.${read.kind} takes an absolute path, not ${JSON.stringify(read.path)}`)
  }
}

function mismatch(kind: Read['kind'], answer: Answer): Error {
  return new TypeError(`a read of kind ${kind} was answered with ${answer.kind}`)
}
