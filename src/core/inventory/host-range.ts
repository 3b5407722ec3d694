import { isIPv6 } from 'node:net'
import { SakError } from '../errors.ts'

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const mostHosts = 100_000

/** Hosts named by one word of an Ansible inventory, and the port that the word ends in. */
export interface NamedHosts {
  readonly names: readonly string[]
  readonly port?: number
}

/**
 * Reads `web1`, `web1:2222`, `web[01:50].example.com`, `db-[a:f]`, `[2001:db8::1]:22`, `10.0.0.[1:9:2]`.
 * Throws SakError 'invalid-inventory' for a range that makes no sense or names no host.
 */
export function parseHostWord(word: string, at: string): NamedHosts {
  const [, address = '', addressPort] = /^\[([^[\]]+)\]:(\d+)$/.exec(word) ?? []
  if (isIPv6(address)) return { names: [address], port: Number(addressPort) }
  const [, pattern = word, port] = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/.exec(word) ?? []
  const names = expandRanges(pattern, at)
  return port === undefined ? { names } : { names, port: Number(port) }
}

function expandRanges(pattern: string, at: string): string[] {
  const pieces = pattern.split(/\[([^[\]]*)\]/)
  const stray = pieces.find((piece, i) => i % 2 === 0 && /[[\]]/.test(piece))
  if (stray !== undefined) throw badRange(pattern, at, 'its brackets do not pair')
  let names = ['']
  for (const [i, piece] of pieces.entries()) {
    const parts = i % 2 === 0 ? [piece] : rangeOf(piece, pattern, at)
    if (names.length * parts.length > mostHosts) throw badRange(pattern, at, `it names more than ${mostHosts} hosts`)
    names = names.flatMap(name => parts.map(part => name + part))
  }
  return names
}

function rangeOf(range: string, pattern: string, at: string): string[] {
  const [, first, last = '', step = '1'] = /^(\d*|[a-zA-Z]):(\d+|[a-zA-Z])(?::(\d+))?$/.exec(range) ?? []
  if (first === undefined) throw badRange(pattern, at, `[${range}] is not [begin:end] or [begin:end:step]`)
  if (Number(step) < 1) throw badRange(pattern, at, 'its step is 0')
  const begin = first === '' ? '0' : first
  const isLetters = letters.includes(begin)
  if (isLetters !== letters.includes(last)) throw badRange(pattern, at, 'it mixes letters and numbers')
  const from = isLetters ? letters.indexOf(begin) : Number(begin)
  const to = isLetters ? letters.indexOf(last) : Number(last)
  if (from > to) throw badRange(pattern, at, 'it ends before it begins')
  const width = /^0./.test(begin) ? begin.length : 0
  if (width > 0 && last.length !== width) throw badRange(pattern, at, 'its padded ends differ in length')
  const count = Math.floor((to - from) / Number(step)) + 1
  if (count > mostHosts) throw badRange(pattern, at, `it names more than ${mostHosts} hosts`)
  return Array.from({ length: count }, (_, i) => {
    const value = from + i * Number(step)
    return isLetters ? (letters[value] ?? '') : String(value).padStart(width, '0')
  })
}

function badRange(pattern: string, at: string, why: string): SakError {
  return new SakError('invalid-inventory', `${at}: the host range ${JSON.stringify(pattern)} is wrong: ${why}`, {
    hint: 'Write for example web[01:50] or db[a:f].',
  })
}
