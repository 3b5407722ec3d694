import { SakError } from '../core/errors.ts'
import type { DirectoryState, FileRead, FileState, Stat, UnknownState } from '../core/file.ts'
import { matchesAny } from '../core/glob.ts'
import type { Answer, Read } from '../core/host.ts'
import type { Step } from '../core/step.ts'

/** Answers a read. */
export type Ask = (read: Read) => Promise<Answer>

export type PlannedState = FileState | DirectoryState | UnknownState

/** Files and directories as planned steps would leave them, by path. */
export type PlannedFiles = ReadonlyMap<string, PlannedState>

/** Thrown into a check whose answer only an applied task could give. */
export class Deferred extends Error {
  override readonly name = 'Deferred'
}

// later than any clock: what is yet to be written is newer than all that runs
const future = 2 ** 40

/** What steps would write, remove or have a program leave. */
export function plannedFiles(steps: readonly Step[]): [string, PlannedState][] {
  return steps.flatMap((step): [string, PlannedState][] => {
    if (step.kind === 'remove') return [[step.path, { kind: 'file', path: step.path, content: null }]]
    if (step.kind === 'run') return (step.leaves ?? []).map(file => [file.path, file])
    if (step.kind !== 'write') return []
    const { path, content, mode, owner, group } = step
    return [
      [path, { kind: 'file', path, content, ...(mode && { mode }), ...(owner && { owner }), ...(group && { group }) }],
    ]
  })
}

/** Whether a read would be answered differently once the files are as planned. */
export function isTouched(read: Read, planned: PlannedFiles): boolean {
  if (isUnknown(read, planned)) return true
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

/** Whether a read looks at, or below, what nobody can foresee. */
function isUnknown(read: Read, planned: PlannedFiles): boolean {
  const unknown = [...planned.values()].filter(({ kind }) => kind === 'unknown')
  return pathsOf(read).some(path =>
    unknown.some(at => path === at.path || path.startsWith(`${at.path}/`) || matchesAny(at.path, [path])),
  )
}

function pathsOf(read: Read): readonly string[] {
  switch (read.kind) {
    case 'file':
    case 'stat':
      return [read.path]
    case 'files':
      return read.globs
    case 'command':
      return read.options.dependsOn ?? []
  }
}

/**
 * Answers reads as they would be answered once the files are as planned.
 * A command cannot be foreseen: one that depends on a planned file throws `Deferred`.
 */
export function overlay(ask: Ask, planned: PlannedFiles): Ask {
  return async read => {
    if (!isTouched(read, planned)) return ask(read)
    if (isUnknown(read, planned))
      throw new Deferred(`${pathsOf(read).join(' ')}: an earlier task decides what is there`)
    switch (read.kind) {
      case 'file':
        return { kind: 'file', file: await foreseenFile(planned.get(read.path), read, ask) }
      case 'stat':
        return { kind: 'stat', stat: await foreseenStat(planned.get(read.path), read, ask) }
      case 'files': {
        const answer = await ask(read)
        const there = answer.kind === 'files' ? answer.files : []
        const files = new Map(there.map(file => [file.path, file]))
        for (const [path, file] of planned) {
          if (file.kind !== 'file' || !matchesAny(path, read.globs)) continue
          if (file.content === null) files.delete(path)
          else files.set(path, written(file, file.content, files.get(path)))
        }
        return { kind: 'files', files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) }
      }
      case 'command':
        throw new Deferred(`${read.argv[0] ?? ''} depends on a file that an earlier task changes`)
    }
  }
}

async function foreseenStat(state: PlannedState | undefined, read: Read & { path: string }, ask: Ask) {
  return state?.kind === 'directory'
    ? statOf('directory', state, 4096)
    : ((await foreseenFile(state, read, ask)).stat ?? null)
}

/** A file as planned. What a write does not state stays as it is on the host. */
async function foreseenFile(
  file: PlannedState | undefined,
  read: Read & { path: string },
  ask: Ask,
): Promise<FileRead> {
  if (file?.kind === 'directory') throw new SakError('refused', `${read.path} is to be a directory, not a file`)
  if (file?.kind !== 'file' || file.content === null) return { kind: 'file', path: read.path, content: null }
  if (file.mode && file.owner && file.group) return written(file, file.content)
  const answer = await ask(read)
  return written(file, file.content, answer.kind === 'file' ? answer.file : answer.kind === 'stat' ? answer.stat : null)
}

type Attributes = Pick<FileRead, 'mode' | 'owner' | 'group'>

function written(file: FileState, content: string, before?: Attributes | null): FileRead {
  const mode = file.mode ?? before?.mode ?? '0644'
  const owner = file.owner ?? before?.owner ?? 'root'
  const group = file.group ?? before?.group ?? 'root'
  const stat = statOf('file', { mode, owner, group }, Buffer.byteLength(content))
  return { ...file, mode, owner, group, stat }
}

function statOf(
  type: 'file' | 'directory',
  { mode, owner, group }: Pick<Stat, 'mode' | 'owner' | 'group'>,
  size: number,
): Stat {
  return { type, mode, owner, group, size, allocated: size, mtime: future, ctime: future }
}
