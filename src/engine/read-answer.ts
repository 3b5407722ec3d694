import { SakError } from '../core/errors.ts'
import type { FileRead, Stat } from '../core/file.ts'
import type { Answer, CommandResult, Read } from '../core/host.ts'
import { durationMs } from '../core/units.ts'
import { readCap } from './read-script.ts'

/** An answer, or why there is none. */
export type Outcome = Answer | SakError

/**
 * Takes the answers of a read script out of what came back, one a read and in their order.
 * @throws SakError `answer-broken` when the script did not come to its end.
 */
export function parseAnswers(reads: readonly Read[], nonce: string, output: Buffer): Outcome[] {
  const records: string[][][] = reads.map(() => [])
  let ended = false
  for (const line of output.toString('latin1').split('\n')) {
    if (!line.startsWith(`${nonce} `)) continue
    const [, id = '', ...record] = line.split(' ')
    if (id === 'end') ended = true
    else records[Number(id)]?.push(record)
  }
  if (!ended) throw broken('the answer ends before its end')
  return reads.map((read, id) => {
    try {
      const found = records[id] ?? []
      if (found.at(-1)?.[0] !== 'done') throw broken(`no answer to ${describeRead(read)}`)
      return toAnswer(read, found.slice(0, -1))
    } catch (error) {
      if (error instanceof SakError) return error
      throw error
    }
  })
}

const broken = (message: string) =>
  new SakError('answer-broken', message, { hint: 'the connection or the login shell of the host may be damaged' })

/** A read in words, for messages. */
export function describeRead(read: Read): string {
  switch (read.kind) {
    case 'file':
    case 'stat':
      return read.path
    case 'files':
      return read.globs.join(' ')
    case 'command':
      return read.argv.slice(0, 3).join(' ')
  }
}

function toAnswer(read: Read, records: readonly string[][]): Answer {
  const [first] = records
  switch (read.kind) {
    case 'file':
      if (!first) throw broken(`no answer to ${read.path}`)
      return { kind: 'file', file: { ...toFile(first), path: read.path } }
    case 'stat':
      if (!first) throw broken(`no answer to ${read.path}`)
      return { kind: 'stat', stat: toStatAnswer(first) }
    case 'files': {
      const byPath = new Map(records.map(record => toFile(record)).map(file => [file.path, file]))
      return { kind: 'files', files: [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) }
    }
    case 'command':
      if (!first) throw broken(`no answer to ${describeRead(read)}`)
      return { kind: 'command', result: toResult(read, first) }
  }
}

function toFile([kind, path = '', stat = '', real = '', content = '']: readonly string[]): FileRead {
  const where = toPath(path)
  if (kind === 'absent') return { kind: 'file', path: where, content: null }
  if (kind !== 'file') throw unreadable(kind, where)
  const bytes = fromBase64(content)
  if (bytes.length > readCap) throw unreadable('large', where)
  const attributes = toStat(stat, real)
  const { mode, owner, group } = attributes
  const base = { kind: 'file', path: where, mode, owner, group, stat: attributes } as const
  const text = decode(bytes)
  return text === null ? { ...base, content: bytes.toString('latin1'), binary: true } : { ...base, content: text }
}

function toStatAnswer([kind, path = '', stat = '', real = '']: readonly string[]): Stat | null {
  if (kind === 'absent') return null
  if (kind !== 'stat') throw unreadable(kind, toPath(path))
  return toStat(stat, real)
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

function toStat(text: string, real: string): Stat {
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
    ...(real !== '-' && { realPath: toPath(real) }),
  }
}

const toPath = (text: string): string => (text.startsWith('=') ? text.slice(1) : fromBase64(text).toString('utf8'))

function fromBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw broken('a content is damaged')
  return Buffer.from(text, 'base64')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

function toResult(
  read: Extract<Read, { kind: 'command' }>,
  [kind, stdout = '', stderr = '']: readonly string[],
): CommandResult {
  const name = describeRead(read)
  const { as = 'root', timeout = '20s' } = read.options
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
