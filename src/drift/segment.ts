import { randomBytes } from 'node:crypto'
import { link, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SakError } from '../core/errors.ts'
import { decodeLine, encodeLine, type Line } from './log-line.ts'
import { advanceState, type Commit, type State } from './state.ts'

/** A file of a history: a checkpoint, then commits. Its name has the number of the checkpoint and the day when it was begun. */
export interface Segment {
  readonly name: string
  readonly seq: number
  /** When it was begun. */
  readonly at: string
}

export interface ReadSegment {
  readonly state: State
  readonly commits: readonly Commit[]
  /** Bytes of the checkpoint. */
  readonly begin: number
  /** Bytes of whole lines. */
  readonly length: number
  /** Bytes of the file: more than `length` where a writer was killed in the middle of a line. */
  readonly size: number
}

const pattern = /^history-(\d{10})-(\d{4})(\d\d)(\d\d)\.ndjson$/

/** The files of a history, the oldest first; none where there is no history. */
export async function segmentsOf(folder: string): Promise<readonly Segment[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw unusable(folder, error)
  })
  return names.sort().flatMap(name => {
    const [, seq, year, month, day] = pattern.exec(name) ?? []
    return seq === undefined ? [] : [{ name, seq: Number(seq), at: `${year}-${month}-${day}T00:00:00.000Z` }]
  })
}

/**
 * Reads a file of a history. A last line without an end was never committed, and does not count.
 * @throws SakError `history-broken`, `history-newer`: it is left as it is
 */
export async function readSegment(folder: string, { name }: Segment): Promise<ReadSegment> {
  const path = join(folder, name)
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unusable(path, error)
  })
  const length = bytes.lastIndexOf(0x0a) + 1
  const lines = bytes.subarray(0, length).toString('utf8').split('\n').slice(0, -1)
  const [first, ...rest] = lines.map((text, index) => lineOf(text, `${path}, line ${index + 1}`))
  if (first?.kind !== 'checkpoint') throw broken(path, 'it does not begin with a checkpoint')
  const commits: Commit[] = []
  let { state } = first
  for (const line of rest) {
    if (line.kind !== 'commit' || line.commit.seq !== state.seq + 1) throw broken(path, 'its lines are out of order')
    state = advanceState(state, line.commit)
    commits.push(line.commit)
  }
  return { state, commits, begin: bytes.indexOf(0x0a) + 1, length, size: bytes.length }
}

/** Begins a file with a checkpoint: whole, or not at all. Throws SakError `locked` where somebody else just did. */
export async function beginSegment(folder: string, state: State, at: string): Promise<Segment> {
  const day = at.slice(0, 10).replaceAll('-', '')
  const name = `history-${String(state.seq).padStart(10, '0')}-${day}.ndjson`
  const temporary = join(folder, `.history-${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(encodeLine({ format: 1, kind: 'checkpoint', at, state }))
      await file.datasync()
    } finally {
      await file.close()
    }
    await link(temporary, join(folder, name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw somebodyElse(folder)
    throw unusable(folder, error)
  } finally {
    await rm(temporary, { force: true })
  }
  return { name, seq: state.seq, at }
}

/** Appends a commit: it is on the disk when this resolves, or the file is as it was. */
export async function appendCommit(
  folder: string,
  { name }: Segment,
  commit: Commit,
  { length, size }: Pick<ReadSegment, 'length' | 'size'>,
): Promise<number> {
  const path = join(folder, name)
  const line = Buffer.from(encodeLine({ format: 1, kind: 'commit', commit }))
  const file = await open(path, 'r+').catch((error: unknown) => {
    throw unusable(path, error)
  })
  try {
    if ((await file.stat()).size !== size) throw somebodyElse(folder)
    if (size > length) await file.truncate(length)
    try {
      const { bytesWritten } = await file.write(line, 0, line.length, length)
      if (bytesWritten < line.length) throw new Error('no space left on device')
      await file.datasync()
    } catch (error) {
      await file.truncate(length)
      throw unusable(path, error)
    }
  } finally {
    await file.close()
  }
  return length + line.length
}

function lineOf(text: string, where: string): Line {
  const line = decodeLine(text)
  if (line === 'broken') throw broken(where, 'it is not as it was written')
  if (line !== 'newer') return line
  throw new SakError('history-newer', `${where}: the history was written by a newer version of sak-reconcile`, {
    hint: 'run that version, or move the folder away to begin a new history; nothing was changed in it',
  })
}

const broken = (where: string, why: string) =>
  new SakError('history-broken', `${where}: the history is damaged: ${why}`, {
    hint: 'move the folder away to begin a new history, or bring it back from a backup; nothing was changed in it',
  })

const somebodyElse = (folder: string) =>
  new SakError('locked', `another run has written to the history in ${folder} meanwhile`, {
    hint: 'run again: what was seen is found again then',
  })

function unusable(path: string, cause: unknown): SakError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SakError('history-unusable', `the history cannot be kept in ${path}: ${why}`, { cause })
}
