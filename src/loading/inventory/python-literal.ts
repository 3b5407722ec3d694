import type { InventoryValue } from '../../core/inventory.ts'

const deepest = 50
const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Thrown and caught here only: the text is no literal. */
class NotLiteral extends Error {}

/**
 * Reads a value as Ansible's INI inventories do, by Python's `ast.literal_eval`: numbers, strings, True, False, None, lists, tuples, dicts, sets.
 * What is no literal is the text itself, and so are numbers that JavaScript cannot hold.
 */
export function readPythonLiteral(text: string): InventoryValue {
  try {
    return new LiteralReader(text).readAll()
  } catch (error) {
    if (error instanceof NotLiteral) return text
    throw error
  }
}

class LiteralReader {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  readAll(): InventoryValue {
    this.skipSpace()
    const value = this.readItems('', 0)
    if (this.at < this.text.length) throw new NotLiteral()
    return value
  }

  /** Reads `1` as a value, `1,` and `1, 2` as a tuple, up to a closing bracket or the end. */
  private readItems(end: string, depth: number): InventoryValue {
    const { items, commas } = this.readList(end, depth)
    const [only] = items
    if (items.length === 1 && commas === 0 && only !== undefined) return only
    if (items.length === 0 && end === '') throw new NotLiteral()
    return items
  }

  private readList(end: string, depth: number): { items: InventoryValue[]; commas: number } {
    const items: InventoryValue[] = []
    let commas = 0
    while (!this.isAt(end)) {
      if (items.length !== commas) throw new NotLiteral()
      items.push(this.readValue(depth))
      if (this.take(',')) commas++
    }
    return { items, commas }
  }

  private isAt(end: string): boolean {
    return end === '' ? this.at >= this.text.length : this.text.charAt(this.at) === end
  }

  private readValue(depth: number): InventoryValue {
    if (depth > deepest) throw new NotLiteral()
    if (this.take('(')) return this.close(this.readItems(')', depth + 1), ')')
    if (this.take('[')) return this.close(this.readList(']', depth + 1).items, ']')
    if (this.take('{')) return this.close(this.readBraces(depth + 1), '}')
    if (/^(?:[rR]?[bB]|[bB]?[rR]|[uU])?['"]/.test(this.text.slice(this.at, this.at + 3))) return this.readStrings()
    const word = this.takeMatch(/[A-Za-z_]\w*/y)
    if (word !== undefined) return keyword(word)
    return this.readNumber()
  }

  private close<T extends InventoryValue>(value: T, end: string): T {
    if (!this.take(end)) throw new NotLiteral()
    return value
  }

  private readBraces(depth: number): InventoryValue {
    const entries: [string, InventoryValue][] = []
    if (this.isAt('}')) return {}
    const first = this.readValue(depth)
    if (!this.take(':')) {
      if (!this.take(',')) return [first]
      return [first, ...this.readList('}', depth).items]
    }
    entries.push([keyOf(first), this.readValue(depth)])
    while (this.take(',') && !this.isAt('}')) {
      const key = keyOf(this.readValue(depth))
      if (!this.take(':')) throw new NotLiteral()
      entries.push([key, this.readValue(depth)])
    }
    return Object.fromEntries(entries)
  }

  private readNumber(): number {
    const signs = this.takeMatch(/[-+](?:[ \t]*[-+])*/y) ?? ''
    const digits = this.takeMatch(
      /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.?(?:\d(?:_?\d)*)?(?:[eE][-+]?\d(?:_?\d)*)?/y,
    )
    if (digits === undefined || !/\d/.test(digits)) throw new NotLiteral()
    const isFloat = /^[\d_]*\.|^[\d_]+[eE]/.test(digits)
    const value = Number(digits.replaceAll('_', ''))
    if (!isFloat && (/^0[\d_]*[1-9]/.test(digits) || !Number.isSafeInteger(value))) throw new NotLiteral()
    if (!Number.isFinite(value)) throw new NotLiteral()
    const negative = (signs.match(/-/g) ?? []).length % 2 === 1
    return negative && value !== 0 ? -value : value
  }

  private readStrings(): string {
    let text = ''
    let prefix = this.takePrefix()
    while (prefix !== undefined) {
      text += this.readString(prefix)
      prefix = this.takePrefix()
    }
    return text
  }

  private takePrefix(): string | undefined {
    return this.takeMatch(/(?:[rR]?[bB]|[bB]?[rR]|[uU])?(?=['"])/y, false)
  }

  private readString(prefix: string): string {
    const quote = this.text.startsWith("'''", this.at) || this.text.startsWith('"""', this.at) ? 3 : 1
    const mark = this.text.slice(this.at, this.at + quote)
    this.at += quote
    const isRaw = /r/i.test(prefix)
    const isBytes = /b/i.test(prefix)
    let text = ''
    while (!this.text.startsWith(mark, this.at)) {
      const char = this.text.charAt(this.at++)
      if (char === '' || (char === '\n' && quote === 1)) throw new NotLiteral()
      if (isBytes && char > '\x7f') throw new NotLiteral()
      if (char !== '\\') text += char
      else if (isRaw) text += char + this.text.charAt(this.at++)
      else text += this.readEscape(isBytes)
    }
    this.at += quote
    this.skipSpace()
    return text
  }

  private readEscape(isBytes: boolean): string {
    const octal = this.takeMatch(/[0-7]{1,3}/y, false)
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    const char = this.text.charAt(this.at++)
    const width = char === 'x' ? 2 : isBytes ? 0 : char === 'u' ? 4 : char === 'U' ? 8 : 0
    if (char === '' || (char === 'N' && !isBytes)) throw new NotLiteral()
    if (width === 0) return escapes[char] ?? `\\${char}`
    const hex = this.text.slice(this.at, this.at + width)
    const code = Number.parseInt(hex, 16)
    if (!/^[\da-fA-F]+$/.test(hex) || hex.length !== width || code > 0x10ffff) throw new NotLiteral()
    this.at += width
    return String.fromCodePoint(code)
  }

  private take(mark: string): boolean {
    if (!this.text.startsWith(mark, this.at)) return false
    this.at += mark.length
    this.skipSpace()
    return true
  }

  private takeMatch(pattern: RegExp, skip = true): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)?.[0]
    if (match === undefined) return undefined
    this.at += match.length
    if (skip) this.skipSpace()
    return match
  }

  private skipSpace(): void {
    const space = /(?:[ \t\f]|#.*$)*/y
    space.lastIndex = this.at
    this.at += space.exec(this.text)?.[0].length ?? 0
  }
}

function keyword(word: string): InventoryValue {
  if (word === 'True') return true
  if (word === 'False') return false
  if (word === 'None') return null
  throw new NotLiteral()
}

function keyOf(key: InventoryValue): string {
  if (typeof key === 'object' && key !== null) throw new NotLiteral()
  return String(key)
}
