import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { SakError } from '../core/errors.ts'
import { appendCommit, beginSegment, readSegment, type Segment, segmentsOf } from './segment.ts'
import { advanceState, Commit, type CommitInput, emptyState, type State } from './state.ts'

/** A history that is open to be written. Only one process may have it so: hold the run's lock. */
export interface Store {
  state(): State
  /** On the disk when it resolves. Throws SakError `history-unusable` (the disk is full, say): then nothing was kept. */
  commit(input: CommitInput): Promise<State>
  /** Removes files of which everything is older than that. */
  prune(keepMs: number): Promise<void>
}

/** Bytes after which a file is followed by another one, if most of it is commits; and it is when a month begins. */
const longest = 1_000_000

/** Opens the history in a folder, which is made where there is none. Throws SakError `history-...`. */
export async function openStore(folder: string, at: string): Promise<Store> {
  await makeFolder(folder)
  let segment: Segment =
    (await segmentsOf(folder)).at(-1) ?? (await beginSegment(folder, emptyState(randomBytes(6).toString('hex')), at))
  const read = await readSegment(folder, segment)
  let { state, begin, length, size } = read

  const commit = async (input: CommitInput): Promise<State> => {
    const next = Commit.parse({ ...input, seq: state.seq + 1 })
    length = await appendCommit(folder, segment, next, { length, size })
    size = length
    state = advanceState(state, next)
    if (length > Math.max(longest, 4 * begin) || next.at.slice(0, 7) !== segment.at.slice(0, 7)) await rotate(next.at)
    return state
  }
  /** Where there is no room for a new file the old one is good enough. */
  const rotate = async (at: string) => {
    const begun = await beginSegment(folder, state, at).catch(() => undefined)
    if (!begun) return
    segment = begun
    ;({ begin, length, size } = await readSegment(folder, segment))
  }
  const prune = async (keepMs: number) => {
    const newest = Math.min(...newestTimes(state, read.state).map(each => Date.parse(each)))
    const segments = await segmentsOf(folder)
    const old = segments.filter((_, index) => Date.parse(segments[index + 1]?.at ?? '9999-01-01') < newest - keepMs)
    for (const { name } of old) await unlink(join(folder, name))
  }
  return { state: () => state, commit, prune }
}

/** A history as it is, for reading. Throws SakError `history-...`. */
export async function readHistory(
  folder: string,
  since?: string,
): Promise<{ readonly state: State | undefined; readonly commits: readonly Commit[] }> {
  const segments = await segmentsOf(folder)
  const wanted = segments.filter((_, index) => since === undefined || (segments[index + 1]?.at ?? '9999') >= since)
  const read = await Promise.all(wanted.map(segment => readSegment(folder, segment)))
  return { state: read.at(-1)?.state, commits: read.flatMap(({ commits }) => commits) }
}

/** A clock that jumped ahead for one run must not make all that is kept look old. */
const newestTimes = (now: State, before: State) => [now, before].flatMap(({ lastRun }) => (lastRun ? [lastRun.at] : []))

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    const left = (await readdir(folder)).filter(name => /^\.history-[0-9a-f]{12}\.tmp$/.test(name))
    for (const name of left) await rm(join(folder, name), { force: true })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('history-unusable', `the history cannot be kept in ${folder}: ${why}`, { cause })
  }
}
