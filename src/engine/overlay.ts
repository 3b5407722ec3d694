import { posix } from 'node:path'
import { SakError } from '../core/errors.ts'
import {
  bytesOf,
  type DirectoryState,
  type FileRead,
  type FileState,
  type LinkState,
  type Stat,
  type UnknownState,
} from '../core/file.ts'
import { matchesAny } from '../core/glob.ts'
import type { Answer, Read } from '../core/host.ts'
import type { Step } from '../core/step.ts'

/** Answers a read. */
export type Ask = (read: Read) => Promise<Answer>

/** A directory that is to be removed with all that is in it. */
interface GoneState {
  readonly kind: 'gone'
  readonly path: string
}

export type PlannedState = FileState | DirectoryState | LinkState | UnknownState | GoneState

/** Files and directories as planned steps would leave them, by path. */
export type PlannedFiles = ReadonlyMap<string, PlannedState>

/** Thrown into a check whose answer only an applied task could give. */
export class Deferred extends Error {
  override readonly name = 'Deferred'
}

// later than any clock: what is yet to be written is newer than all that runs
const future = 2 ** 40

/** What steps would write, make, remove or have a program leave. */
export function plannedFiles(steps: readonly Step[]): [string, PlannedState][] {
  return steps.flatMap(statesOf).map(state => [state.path, state])
}

function statesOf(step: Step): readonly PlannedState[] {
  switch (step.kind) {
    case 'write': {
      const { path, content, mode, owner, group, binary } = step
      const attributes = { ...(mode && { mode }), ...(owner && { owner }), ...(group && { group }) }
      return [{ kind: 'file', path, content, ...attributes, ...(binary && { binary }) }]
    }
    case 'remove':
      return [{ kind: 'file', path: step.path, content: null }]
    case 'directory':
    case 'link':
      return [step]
    case 'remove-directory':
      return [{ kind: 'gone', path: step.path }]
    case 'run':
      return step.leaves ?? []
    case 'service':
    case 'waitFor':
      return []
  }
}

const isBelow = (path: string, { path: above }: PlannedState) => path.startsWith(`${above}/`)

/** What is planned for a path: by itself, or because a directory above it is to be removed. */
function plannedAt(path: string, planned: PlannedFiles): PlannedState | undefined {
  return planned.get(path) ?? [...planned.values()].find(state => state.kind === 'gone' && isBelow(path, state))
}

/** The planned link on the way to a path. */
function linkAbove(path: string, planned: PlannedFiles): LinkState | undefined {
  return [...planned.values()].find((state): state is LinkState => state.kind === 'link' && isBelow(path, state))
}

/** Whether a read would be answered differently once the files are as planned. */
export function isTouched(read: Read, planned: PlannedFiles): boolean {
  if (isUnknown(read, planned) || pathsOf(read).some(path => linkAbove(path, planned))) return true
  const states = [...planned.values()]
  switch (read.kind) {
    case 'file':
    case 'stat':
    case 'link':
      return plannedAt(read.path, planned) !== undefined
    case 'files':
    case 'command':
      return states.some(state => pathsOf(read).some(glob => concerns(state, glob)))
  }
}

/** Whether what is planned at a path may change what a glob, or a directory with all that is below it, finds. */
function concerns(state: PlannedState, glob: string): boolean {
  const below = glob.endsWith('/') && state.path.startsWith(glob)
  return below || matchesAny(state.path, [glob]) || (state.kind === 'gone' && isBelow(glob, state))
}

/** Whether a read looks at, or below, what nobody can foresee. */
function isUnknown(read: Read, planned: PlannedFiles): boolean {
  const unknown = [...planned.values()].filter(({ kind }) => kind === 'unknown')
  return pathsOf(read).some(path => unknown.some(at => path === at.path || isBelow(path, at) || concerns(at, path)))
}

function pathsOf(read: Read): readonly string[] {
  switch (read.kind) {
    case 'file':
    case 'stat':
    case 'link':
      return [read.path]
    case 'files':
      return read.globs
    case 'command':
      return read.options.dependsOn ?? []
  }
}

/**
 * Answers reads as they would be answered once the files are as planned.
 * A command cannot be foreseen, unless it says so itself: one that depends on a planned file throws `Deferred`.
 */
export function overlay(ask: Ask, planned: PlannedFiles): Ask {
  const laid: Ask = async read => {
    if (!isTouched(read, planned)) return ask(read)
    if (isUnknown(read, planned))
      throw new Deferred(`${pathsOf(read).join(' ')}: an earlier task decides what is there`)
    switch (read.kind) {
      case 'file':
      case 'stat':
      case 'link': {
        const above = linkAbove(read.path, planned)
        if (above) return laid({ ...read, path: behind(above) + read.path.slice(above.path.length) })
        return foreseen(plannedAt(read.path, planned), read, ask, laid)
      }
      case 'files':
        return { kind: 'files', files: await foreseenFiles(read, planned, ask, laid) }
      case 'command':
        if (read.options.foreseen !== undefined)
          return { kind: 'command', result: { code: 0, stdout: read.options.foreseen, stderr: '' } }
        throw new Deferred(`${read.argv[0] ?? ''} depends on a file that an earlier task changes`)
    }
  }
  return laid
}

/** Where a link leads. */
const behind = ({ path, target }: LinkState): string => posix.resolve(posix.dirname(path), target)

type PathRead = Extract<Read, { path: string }>

/** The answer to a read of a path that something is planned for. */
async function foreseen(state: PlannedState | undefined, read: PathRead, ask: Ask, laid: Ask): Promise<Answer> {
  if (read.kind === 'link') {
    if (state?.kind === 'file' && state.content !== null) return ask(read) // a file is written through its link
    return { kind: 'link', target: state?.kind === 'link' ? state.target : null }
  }
  if (state?.kind === 'link') return throughLink(state, read, laid)
  if (read.kind === 'file') return { kind: 'file', file: await foreseenFile(state, read, ask) }
  if (state?.kind === 'directory') return { kind: 'stat', stat: statOf('directory', state, 4096) }
  return { kind: 'stat', stat: (await foreseenFile(state, read, ask)).stat ?? null }
}

async function throughLink(link: LinkState, read: PathRead, laid: Ask): Promise<Answer> {
  const realPath = behind(link)
  const answer = await laid({ ...read, path: realPath })
  if (answer.kind === 'stat' && answer.stat) return { kind: 'stat', stat: { realPath, ...answer.stat } }
  if (answer.kind !== 'file') return answer
  const { stat } = answer.file
  return { kind: 'file', file: { ...answer.file, path: link.path, ...(stat && { stat: { realPath, ...stat } }) } }
}

async function foreseenFiles(
  read: Extract<Read, { kind: 'files' }>,
  planned: PlannedFiles,
  ask: Ask,
  laid: Ask,
): Promise<readonly FileRead[]> {
  if (read.globs.some(glob => linkAbove(glob, planned)))
    throw new Deferred(`${read.globs.join(' ')}: an earlier task makes a link on the way there`)
  const answer = await ask(read)
  const there = answer.kind === 'files' ? answer.files : []
  const files = new Map(
    there.filter(({ path }) => plannedAt(path, planned)?.kind !== 'gone').map(file => [file.path, file]),
  )
  for (const [path, state] of planned) {
    if (!matchesAny(path, read.globs)) continue
    if (state.kind === 'link') {
      const behindIt = await laid({ kind: 'stat', path: behind(state) })
      files.delete(path)
      if (behindIt.kind !== 'stat' || behindIt.stat?.type !== 'file') continue
      const found = await laid({ kind: 'file', path })
      if (found.kind === 'file') files.set(path, found.file)
    } else if (state.kind === 'file') {
      if (state.content === null) files.delete(path)
      else files.set(path, written(state, files.get(path)))
    }
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A file as planned. What a write does not state stays as it is on the host. */
async function foreseenFile(state: PlannedState | undefined, read: PathRead, ask: Ask): Promise<FileRead> {
  if (state?.kind === 'directory') throw new SakError('refused', `${read.path} is to be a directory, not a file`)
  if (state?.kind !== 'file' || state.content === null) return { kind: 'file', path: read.path, content: null }
  if (state.mode && state.owner && state.group) return written(state)
  const answer = await ask(read)
  return written(state, answer.kind === 'file' ? answer.file : answer.kind === 'stat' ? answer.stat : null)
}

type Attributes = Pick<FileRead, 'mode' | 'owner' | 'group'>

function written(file: FileState, before?: Attributes | null): FileRead {
  const mode = file.mode ?? before?.mode ?? '0644'
  const owner = file.owner ?? before?.owner ?? 'root'
  const group = file.group ?? before?.group ?? 'root'
  const stat = statOf('file', { mode, owner, group }, bytesOf(file).length)
  return { ...file, mode, owner, group, stat }
}

function statOf(
  type: 'file' | 'directory',
  { mode, owner, group }: Pick<Stat, 'mode' | 'owner' | 'group'>,
  size: number,
): Stat {
  return { type, mode, owner, group, size, allocated: size, mtime: future, ctime: future }
}
