import { SakError } from '../core/errors.ts'
import { contentOf, type FileRead, type Stat } from '../core/file.ts'
import type { Answer, CommandResult, Read } from '../core/host.ts'
import { durationMs } from '../core/units.ts'
import { defaultTimeout, readCap } from './read-script.ts'

/** An answer, or why there is none. */
export type Outcome = Answer | SakError

type Record = readonly string[]

/** What the shared records tell of paths. */
interface Shared {
  readonly stats: Map<string, Stat>
  readonly contents: Map<string, Buffer>
  /** Why a content is missing. */
  readonly reasons: Map<string, string>
}

/**
 * Takes the answers of a read script out of what came back, one a read and in their order.
 * @throws SakError `answer-broken` when the script did not come to its end.
 */
export function parseAnswers(reads: readonly Read[], nonce: string, output: Buffer): Outcome[] {
  const records: Record[][] = reads.map(() => [])
  const common: Record[] = []
  let ended = false
  for (const line of output.toString('latin1').split('\n')) {
    if (!line.startsWith(`${nonce} `)) continue
    const [, id = '', ...record] = line.split(' ')
    if (id === 'end') ended = true
    else if (id === '-') common.push(record)
    else records[Number(id)]?.push(record)
  }
  if (!ended) throw broken('the answer ends before its end')
  const shared = toShared(common)
  return reads.map((read, id) => {
    try {
      const found = records[id] ?? []
      if (found.at(-1)?.[0] !== 'done') throw broken(`no answer to ${describeRead(read)}`)
      return toAnswer(read, found.slice(0, -1), shared)
    } catch (error) {
      if (error instanceof SakError) return error
      throw error
    }
  })
}

function toShared(records: readonly Record[]): Shared {
  const shared: Shared = { stats: new Map(), contents: new Map(), reasons: new Map() }
  const real = new Map(
    records.flatMap(([kind, path = '', to = '']) => (kind === 'real' ? [[toPath(path), toPath(to)]] : [])),
  )
  for (const [kind, first = '', ...rest] of records) {
    if (kind === 'stat') {
      const path = toPath(rest.join(' '))
      shared.stats.set(path, toStat(first, real.get(path)))
    } else if (kind === 'file') shared.contents.set(toPath(first), fromBase64(rest[0] ?? ''))
    else if (kind === 'denied' || kind === 'large') shared.reasons.set(toPath(first), kind)
  }
  for (const [kind, contents = '', ...paths] of records) if (kind === 'all') share(shared, fromBase64(contents), paths)
  return shared
}

/** Cuts the contents of files apart that came behind one another. */
function share({ stats, contents }: Shared, all: Buffer, paths: readonly string[]): void {
  let at = 0
  for (const path of paths) {
    const size = stats.get(path)?.size ?? Number.NaN
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

function toAnswer(read: Read, records: readonly Record[], shared: Shared): Answer {
  const [first] = records
  switch (read.kind) {
    case 'file':
      return { kind: 'file', file: { ...toFile(first, shared), path: read.path } }
    case 'stat':
      return { kind: 'stat', stat: toStatAnswer(first, shared) }
    case 'link':
      return { kind: 'link', target: toTarget(first) }
    case 'files': {
      const byPath = new Map(records.map(record => toFile(record, shared)).map(file => [file.path, file]))
      return { kind: 'files', files: [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) }
    }
    case 'command':
      return { kind: 'command', result: toResult(read, first ?? []) }
  }
}

function toFile([kind, path = '']: Record = [], { stats, contents, reasons }: Shared): FileRead {
  const where = toPath(path)
  if (kind === 'absent') return { kind: 'file', path: where, content: null }
  const stat = stats.get(where)
  if (kind !== 'hit' || !stat) throw unreadable(kind, where)
  if (stat.type !== 'file') throw unreadable('other', where)
  const bytes = contents.get(where) ?? (stat.size === 0 ? Buffer.alloc(0) : undefined)
  if (bytes === undefined) throw unreadable(reasons.get(where), where)
  if (bytes.length > readCap) throw unreadable('large', where)
  const { mode, owner, group } = stat
  const base = { kind: 'file', path: where, mode, owner, group, stat } as const
  return { ...base, ...contentOf(bytes) }
}

function toStatAnswer([kind, path = '']: Record = [], { stats }: Shared): Stat | null {
  if (kind === 'absent') return null
  const stat = stats.get(toPath(path))
  if (kind !== 'hit' || !stat) throw unreadable(kind, toPath(path))
  return stat
}

function toTarget([kind, value = '']: Record = []): string | null {
  if (kind === 'link') return fromBase64(value).toString('utf8')
  if (kind === 'absent') return null
  throw unreadable(kind, toPath(value))
}

function unreadable(kind: string | undefined, path: string): SakError {
  switch (kind) {
    case 'denied':
      return new SakError('needs-root', `only root may read ${path}`, { hint: 'run as root, or with --become' })
    case 'large':
      return new SakError('answer-too-large', `${path} is larger than ${readCap / 1024 / 1024} MiB`)
    case 'other':
      return new SakError('refused', `${path} is not a regular file`, {
        hint: 'look at what is there, and move it away',
      })
    default:
      return broken(`${path} was answered with "${kind ?? ''}"`)
  }
}

const fileTypes: ReadonlyMap<number, Stat['type']> = new Map([
  [0o10, 'file'],
  [0o4, 'directory'],
])

function toStat(text: string, realPath: string | undefined): Stat {
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

function toResult(
  read: Extract<Read, { kind: 'command' }>,
  [kind, stdout = '', stderr = '']: readonly string[],
): CommandResult {
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
    stderr: fromBase64(stderr).toString('utf8'),
  }
}
