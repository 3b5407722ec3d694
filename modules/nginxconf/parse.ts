import { skipLua } from './lua.ts'

/** A word of a directive: what nginx takes it for, and where its text (quotes included) stands. */
export interface Word {
  readonly value: string
  readonly start: number
  readonly end: number
}

/** A directive and where it stands in its file, as offsets into the text: nothing between the offsets is lost. */
export interface Directive {
  readonly name: string
  readonly args: readonly Word[]
  /** Of its first character, counted from 1. */
  readonly line: number
  readonly start: number
  /** After its `;`, or after the `}` that closes its block. */
  readonly end: number
  /** The text between its braces, if it has a block. */
  readonly block?: { readonly start: number; readonly end: number; readonly directives: readonly Directive[] }
}

/** What nginx's reader makes of a file. `error` is where it would stop; what stands before it is still told. */
export interface ParsedConfig {
  readonly directives: readonly Directive[]
  readonly error?: { readonly line: number; readonly message: string }
}

/**
 * Reads a file as nginx's own reader does (ngx_conf_read_token): the same words, the same errors. Never throws, and no
 * depth of nesting troubles it.
 */
export function parseConfig(text: string): ParsedConfig {
  const tree = treeOf(text)
  let at = 0
  for (;;) {
    const read = readWords(text, at)
    at = read.at
    switch (read.stop) {
      case 'error':
        return tree.failed(read.message, at)
      case ';':
        tree.add(read.words, at)
        break
      case '{':
        if (read.words[0]?.value.endsWith('_by_lua_block')) {
          const end = skipLua(text, at)
          if (end === -1) return tree.failed('unexpected end of file in a Lua block', text.length)
          tree.add(read.words, end + 1, { start: at, end, directives: [] })
          at = end + 1
        } else tree.open(read.words, at)
        break
      case '}':
        if (!tree.close(at - 1)) return tree.failed('unexpected "}"', at - 1)
        break
      case 'end':
        if (tree.depth() > 0) return tree.failed('unexpected end of file, expecting "}"', text.length)
        return { directives: tree.directives }
    }
  }
}

/** Collects directives; keeps its own stack of open blocks. */
function treeOf(text: string) {
  const lineAt = lineCounter(text)
  const directives: Directive[] = []
  const blocks: { words: readonly Word[]; start: number; directives: Directive[] }[] = []
  const add = ([name, ...args]: readonly Word[], end: number, block?: Directive['block']) => {
    if (!name) return
    const place = { line: lineAt(name.start), start: name.start, end }
    const siblings = blocks.at(-1)?.directives ?? directives
    siblings.push({ name: name.value, args, ...place, ...(block && { block }) })
  }
  const close = (end: number) => {
    const block = blocks.pop()
    if (!block) return false
    add(block.words, Math.min(end + 1, text.length), { start: block.start, end, directives: block.directives })
    return true
  }
  return {
    directives,
    add,
    close,
    depth: () => blocks.length,
    open: (words: readonly Word[], start: number) => blocks.push({ words, start, directives: [] }),
    /** Blocks that were never closed are told too, as far as they go. */
    failed(message: string, offset: number): ParsedConfig {
      while (close(text.length));
      return { directives, error: { line: lineAt(offset), message } }
    },
  }
}

type Words = { readonly at: number; readonly words: readonly Word[] } & (
  | { readonly stop: ';' | '{' | '}' | 'end' }
  | { readonly stop: 'error'; readonly message: string }
)

/** The words up to the next `;`, `{`, `}` or the end of the file. */
function readWords(text: string, from: number): Words {
  const words: Word[] = []
  let at = from
  for (;;) {
    at = skipBlank(text, at)
    const char = text[at]
    const error = (message: string): Words => ({ stop: 'error', at: Math.min(at, text.length), words, message })
    if (char === undefined) {
      if (words.length > 0) return error('unexpected end of file, expecting ";" or "}"')
      return { stop: 'end', at, words }
    }
    if (char === ';' || char === '{') {
      if (words.length === 0) return error(`unexpected "${char}"`)
      return { stop: char, at: at + 1, words }
    }
    if (char === '}') {
      if (words.length > 0) return error('unexpected "}"')
      return { stop: '}', at: at + 1, words }
    }
    const quoted = char === '"' || char === "'"
    const end = quoted ? endOfQuoted(text, at) : endOfPlain(text, at)
    if (end > text.length || (end === text.length && !quoted)) {
      at = text.length
      return error('unexpected end of file, expecting ";" or "}"')
    }
    words.push({ value: unescapeWord(quoted ? text.slice(at + 1, end - 1) : text.slice(at, end)), start: at, end })
    at = end
    if (quoted && !/[ \t\r\n;{)]/.test(text[at] ?? ' ')) return error(`unexpected "${text[at]}"`)
  }
}

const isBlank = (char: string | undefined) => char === ' ' || char === '\t' || char === '\n' || char === '\r'

function skipBlank(text: string, from: number): number {
  let at = from
  for (;;) {
    while (isBlank(text[at])) at += 1
    if (text[at] !== '#') return at
    const newline = text.indexOf('\n', at)
    at = newline === -1 ? text.length : newline
  }
}

/** After the closing quote; past the text's end if there is none. */
function endOfQuoted(text: string, start: number): number {
  const quote = text[start]
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
  return at < text.length ? at + 1 : text.length + 1
}

/** A plain word ends before a blank, `;` or `{`, but not before the `{` of a variable such as `${name}`. */
function endOfPlain(text: string, start: number): number {
  let at = start
  let variable = false
  while (at < text.length) {
    const char = text[at]
    if (char === '{' && variable) {
      at += 1
      continue
    }
    if (isBlank(char) || char === ';' || char === '{') return at
    variable = char === '$'
    at += char === '\\' ? 2 : 1
  }
  return text.length
}

/** What nginx makes of the backslashes of a word, quoted or not. */
function unescapeWord(text: string): string {
  return text.replace(/\\(["'\\trn])/g, (_, char: string) => ({ t: '\t', r: '\r', n: '\n' })[char] ?? char)
}

/** A function from an offset to its line, counted from 1. */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return offset => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}
