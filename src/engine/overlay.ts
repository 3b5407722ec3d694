import type { FileRead, FileState } from '../core/file.ts'
import { matchesAny } from '../core/glob.ts'
import type { Answer, Read } from '../core/host.ts'
import type { Step } from '../core/step.ts'

/** Answers a read. */
export type Ask = (read: Read) => Promise<Answer>

/** Files as planned steps would leave them, by path. */
export type PlannedFiles = ReadonlyMap<string, FileState>

/** Thrown into a check whose answer only an applied task could give. */
export class Deferred extends Error {
  override readonly name = 'Deferred'
}

// later than any clock: what is yet to be written is newer than all that runs
const future = 2 ** 40

/** The files that steps would write or remove. */
export function plannedFiles(steps: readonly Step[]): [string, FileState][] {
  return steps.flatMap((step): [string, FileState][] => {
    if (step.kind === 'remove') return [[step.path, { kind: 'file', path: step.path, content: null }]]
    if (step.kind !== 'write') return []
    const { path, content, mode = '0644', owner = 'root', group = 'root' } = step
    return [[path, { kind: 'file', path, content, mode, owner, group }]]
  })
}

/** Whether a read would be answered differently once the files are as planned. */
export function isTouched(read: Read, planned: PlannedFiles): boolean {
  const paths = [...planned.keys()]
  switch (read.kind) {
    case 'file':
    case 'stat':
      return planned.has(read.path)
    case 'files':
      return paths.some(path => matchesAny(path, read.globs))
    case 'command':
      return paths.some(path => matchesAny(path, read.options.dependsOn ?? []))
  }
}

/**
 * Answers reads as they would be answered once the files are as planned.
 * A command cannot be foreseen: one that depends on a planned file throws `Deferred`.
 */
export function overlay(ask: Ask, planned: PlannedFiles): Ask {
  return async read => {
    if (!isTouched(read, planned)) return ask(read)
    switch (read.kind) {
      case 'file':
        return { kind: 'file', file: foreseen(planned.get(read.path), read.path) }
      case 'stat':
        return { kind: 'stat', stat: foreseen(planned.get(read.path), read.path).stat ?? null }
      case 'files': {
        const answer = await ask(read)
        const there = answer.kind === 'files' ? answer.files : []
        const files = new Map(there.map(file => [file.path, file]))
        for (const [path, file] of planned) {
          if (!matchesAny(path, read.globs)) continue
          if (file.content === null) files.delete(path)
          else files.set(path, foreseen(file, path))
        }
        return { kind: 'files', files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) }
      }
      case 'command':
        throw new Deferred(`${read.argv[0] ?? ''} depends on a file that an earlier task changes`)
    }
  }
}

function foreseen(file: FileState | undefined, path: string): FileRead {
  if (!file || file.content === null) return { kind: 'file', path, content: null }
  const { mode = '0644', owner = 'root', group = 'root' } = file
  const size = Buffer.byteLength(file.content)
  const stat = { type: 'file', mode, owner, group, size, allocated: size, mtime: future, ctime: future } as const
  return { ...file, stat }
}
