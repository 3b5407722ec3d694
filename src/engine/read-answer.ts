import { SakError } from '../core/errors.ts'
import { contentOf, type FileRead, type Stat } from '../core/file.ts'
import type { Answer, CommandResult, Read } from '../core/host.ts'
import { durationMs } from '../core/units.ts'
import { defaultTimeout, readCap } from './read-script.ts'

/** An answer, or why there is none. */
export type Outcome = Answer | SakError

/** A line of an answer: its words behind the nonce and the id, and the bytes that follow it until the next record. */
interface Record {
  readonly id: string
  readonly words: readonly string[]
  readonly body: Buffer
}

/** What is told of paths, whichever reads ask for them. */
interface Seen {
  readonly stats: Map<string, string>
  /** Where links lead, as they say themselves, and really. */
  readonly links: Map<string, string>
  readonly real: Map<string, string>
  readonly contents: Map<string, Buffer>
  /** Why a path is not seen. */
  readonly missing: Map<string, string>
  /** Why a content is missing. */
  readonly reasons: Map<string, string>
}

/**
 * Takes the answers of a read script out of what came back, one a read and in their order.
 * @throws SakError `answer-broken` when the script did not come to its end.
 */
export function parseAnswers(reads: readonly Read[], nonce: string, output: Buffer): Outcome[] {
  const own: Record[][] = reads.map(() => [])
  const shared: Record[] = []
  let ended = false
  for (const record of recordsIn(output, nonce)) {
    if (record.id === 'end') ended = true
    else if (record.id === '-') shared.push(record)
    else own[Number(record.id)]?.push(record)
  }
  if (!ended) throw broken('the answer ends before its end')
  const seen = seenIn(shared)
  return reads.map((read, id) => {
    try {
      return toAnswer(read, own[id] ?? [], seen)
    } catch (error) {
      if (error instanceof SakError) return error
      throw error
    }
  })
}

/** The records of an answer. Contents between them are bytes, and never looked at line by line. */
function recordsIn(output: Buffer, nonce: string): readonly Record[] {
  const mark = Buffer.from(`\n${nonce} `)
  const records: Record[] = []
  for (let at = output.indexOf(mark); at >= 0; ) {
    const next = output.indexOf(mark, at + mark.length)
    const until = next < 0 ? output.length : next
    const newline = output.indexOf(10, at + mark.length)
    const end = newline < 0 || newline > until ? until : newline
    const [id = '', ...words] = output.toString('latin1', at + mark.length, end).split(' ')
    records.push({ id, words, body: output.subarray(Math.min(end + 1, until), until) })
    at = next
  }
  return records
}

function seenIn(records: readonly Record[]): Seen {
  const seen: Seen = {
    stats: new Map(),
    links: new Map(),
    real: new Map(),
    contents: new Map(),
    missing: new Map(),
    reasons: new Map(),
  }
  records.forEach(({ words: [kind = '', ...words], body }, index) => {
    const [first = '', second = ''] = words
    if (kind === 'stat') {
      const text = words.join(' ')
      const colon = text.lastIndexOf(':')
      seen.stats.set(toPath(text.slice(colon + 1)), text.slice(0, colon))
    } else if (kind === 'link') seen.links.set(toPath(first), fromBase64(second).toString('utf8'))
    else if (kind === 'real') seen.real.set(toPath(first), toPath(second))
    else if (kind === 'absent' || kind === 'closed') seen.missing.set(toPath(first), kind)
    else if (kind === 'denied' || kind === 'large') seen.reasons.set(toPath(first), kind)
    else if (records[index + 1]?.words[0] !== 'whole') {
      if (kind === 'file') seen.reasons.set(toPath(first), 'failed')
    } else if (kind === 'file') seen.contents.set(toPath(first), body)
    else if (kind === 'files') share(seen, body, words)
  })
  return seen
}

/** Cuts the contents of files apart that came behind one another. */
function share({ stats, contents }: Seen, all: Buffer, paths: readonly string[]): void {
  let at = 0
  for (const path of paths) {
    const size = toStat(stats.get(path)).size
    contents.set(path, all.subarray(at, at + size))
    at += size
  }
  if (at !== all.length) throw broken('the contents of files do not add up')
}

const broken = (message: string) =>
  new SakError('answer-broken', message, { hint: 'the connection or the login shell of the host may be damaged' })

/** A read in words, for messages. */
export function describeRead(read: Read): string {
  switch (read.kind) {
    case 'file':
    case 'stat':
    case 'link':
      return read.path
    case 'files':
      return read.globs.join(' ')
    case 'command':
      return read.argv.slice(0, 3).join(' ')
  }
}

function toAnswer(read: Read, records: readonly Record[], seen: Seen): Answer {
  switch (read.kind) {
    case 'file':
      return { kind: 'file', file: toFile(read.path, seen) }
    case 'stat':
      return { kind: 'stat', stat: look(read.path, seen) }
    case 'link':
      return { kind: 'link', target: seen.links.get(read.path) ?? noTarget(read.path, seen) }
    case 'files': {
      const found = completed(read, records).map(({ words: [kind, path = ''] }) => {
        if (kind !== 'hit') throw unreadable(kind, toPath(path))
        return toPath(path)
      })
      const files = [...new Set(found)].sort().map(path => toFile(path, seen))
      return { kind: 'files', files: files.filter(file => file.content !== null) }
    }
    case 'command':
      return { kind: 'command', result: toResult(read, completed(read, records)[0]) }
  }
}

/** What was told of a read alone, when all of it was. */
function completed(read: Read, records: readonly Record[]): readonly Record[] {
  if (records.at(-1)?.words[0] !== 'done') throw broken(`no answer to ${describeRead(read)}`)
  return records.slice(0, -1)
}

/** What is at a path; null where there is nothing. */
function look(path: string, { stats, real, missing }: Seen): Stat | null {
  const found = stats.get(path)
  if (found !== undefined) return toStat(found, real.get(path))
  const why = missing.get(path)
  if (why === 'absent') return null
  throw unreadable(why, path)
}

function toFile(path: string, seen: Seen): FileRead {
  const stat = look(path, seen)
  if (stat === null) return { kind: 'file', path, content: null }
  if (stat.type !== 'file') throw unreadable('other', path)
  const isEmpty = stat.size === 0 && !seen.reasons.has(path)
  const bytes = seen.contents.get(path) ?? (isEmpty ? Buffer.alloc(0) : undefined)
  if (bytes === undefined) throw unreadable(seen.reasons.get(path), path)
  if (bytes.length > readCap) throw unreadable('large', path)
  const { mode, owner, group } = stat
  return { kind: 'file', path, mode, owner, group, stat, ...contentOf(bytes) }
}

/** That a path is no link is known when it was seen. */
function noTarget(path: string, seen: Seen): null {
  look(path, seen)
  return null
}

function unreadable(kind: string | undefined, path: string): SakError {
  switch (kind) {
    case 'denied':
    case 'closed':
      return new SakError('needs-root', `only root may read ${path}`, { hint: 'run as root, or with --become' })
    case 'large':
      return new SakError('answer-too-large', `${path} is larger than ${readCap / 1024 / 1024} MiB`)
    case 'failed':
      return new SakError('read-failed', `${path} cannot be read, or not to its end`, {
        hint: `try \`cat ${path}\` on the host: it may have gone meanwhile, or its disk may be damaged`,
      })
    case 'other':
      return new SakError('refused', `${path} is not a regular file`, {
        hint: 'look at what is there, and move it away',
      })
    default:
      return broken(`no answer to ${path}`)
  }
}

const fileTypes: ReadonlyMap<number, Stat['type']> = new Map([
  [0o10, 'file'],
  [0o4, 'directory'],
])

function toStat(text = '', realPath?: string): Stat {
  const [raw = '', owner = '', group = '', size = '', blocks = '', blockSize = '', mtime = '', ctime = ''] =
    text.split(':')
  const bits = Number.parseInt(raw, 16)
  if (Number.isNaN(bits) || ctime === '') throw broken(`stat said "${text}"`)
  return {
    type: fileTypes.get(bits >> 12) ?? 'other',
    mode: (bits & 0o7777).toString(8).padStart(4, '0'),
    owner,
    group,
    size: Number(size),
    allocated: Number(blocks) * Number(blockSize),
    mtime: Number(mtime),
    ctime: Number(ctime),
    ...(realPath !== undefined && { realPath }),
  }
}

const toPath = (text: string): string => (text.startsWith('=') ? text.slice(1) : fromBase64(text).toString('utf8'))

function fromBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw broken('a content is damaged')
  return Buffer.from(text, 'base64')
}

function toResult(read: Extract<Read, { kind: 'command' }>, record: Record | undefined): CommandResult {
  const [kind, stdout = ''] = record?.words ?? []
  const name = describeRead(read)
  const { as = 'root', timeout = defaultTimeout } = read.options
  if (kind === 'no-user') throw new SakError('no-such-user', `there is no user ${as} on the host (needed for ${name})`)
  if (kind === 'denied-user') {
    throw new SakError('needs-root', `needs to be ${as} for ${name}`, { hint: 'run as root, or with --become' })
  }
  if (kind !== 'ran') throw broken(`${name} was answered with "${kind ?? ''}"`)
  const output = fromBase64(stdout)
  const end = output.lastIndexOf('\n')
  const code = output.subarray(end + 1).toString('latin1')
  if (end < 0 || end > readCap || !/^\d+$/.test(code)) {
    throw new SakError('answer-too-large', `${name} printed more than ${readCap / 1024 / 1024} MiB`)
  }
  if (code === '124' || code === '137') {
    throw new SakError('timeout', `${name} did not end within ${durationMs(timeout) / 1000} s`)
  }
  return {
    code: Number(code),
    stdout: output.subarray(0, end).toString('utf8'),
    stderr: (record?.body ?? Buffer.alloc(0)).toString('utf8'),
  }
}
