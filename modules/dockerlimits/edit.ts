/** Sets a value in the text of a compose file and leaves every other byte as it is. */
import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import { type ComposeDocument, find, type Mapping, rangeOf } from './document.ts'

/** How a new word is written; in the place of another it takes over that one's quotes. */
export interface NewWord {
  readonly text: string
  readonly quotes: '' | "'"
}

/** The text with a word set at a path within a map of it; nothing where the place is not one that we can write to. */
export function withWord(
  document: ComposeDocument,
  map: Mapping,
  path: readonly string[],
  word: NewWord,
): string | undefined {
  const { text } = document
  const found = find(document, map, path)
  if (found.kind === 'map') return insert(text, found.map, found.missing, word)
  const { key, value } = found.entry
  if (found.missing.length === 0 && (isScalar(value) || isAlias(value)) && !isEmpty(text, value)) {
    if (isScalar(value) && value.type?.startsWith('BLOCK')) return undefined
    return replace(text, rangeOf(value), inQuotesOf(value, word))
  }
  const isNull = value === null || (isScalar(value) && value.value === null)
  if (!isNull) return undefined
  const flow = flowOf(found.missing, word)
  if (!isEmpty(text, value)) return replace(text, rangeOf(value), flow)
  // a key without a value: what is read as its place may be behind a comment
  const colon = text.indexOf(':', rangeOf(key)?.[1] ?? text.length)
  return colon < 0 ? undefined : replace(text, [colon + 1, colon + 1], ` ${flow}`)
}

const isEmpty = (text: string, node: unknown) => {
  const [from, to] = rangeOf(node) ?? [0, 0]
  return text.slice(from, to) === ''
}

function replace(text: string, range: readonly [number, number] | undefined, by: string): string | undefined {
  return range && text.slice(0, range[0]) + by + text.slice(range[1])
}

function inQuotesOf(node: unknown, { text, quotes }: NewWord): string {
  if (isScalar(node) && node.type === 'QUOTE_DOUBLE') return `"${text}"`
  if (isScalar(node) && node.type === 'QUOTE_SINGLE') return `'${text}'`
  return isScalar(node) ? text : quotes + text + quotes
}

/** `{ limits: { memory: 850M } }` */
function flowOf(keys: readonly string[], { text, quotes }: NewWord): string {
  return keys.reduceRight((inner, key) => `{ ${key}: ${inner} }`, quotes + text + quotes)
}

function insert(text: string, map: Mapping, keys: readonly string[], word: NewWord): string | undefined {
  const [key = '', ...rest] = keys
  const start = rangeOf(map)?.[0]
  if (start === undefined) return undefined
  if (map.flow) {
    const entry = `${key}: ${flowOf(rest, word)}`
    const before = text[start + 1] === ' ' ? ' ' : ''
    const after = map.items.length > 0 ? `,${before || ' '}` : before || ''
    return text.slice(0, start + 1) + before + entry + after + text.slice(start + 1 + before.length)
  }
  const first = rangeOf(map.items[0]?.key)?.[0]
  if (first === undefined) return undefined
  return insertLines(text, { column: first - lineStart(text, first), end: endOf(map) }, keys, word)
}

/** New lines after the last one of a block. */
function insertLines(
  text: string,
  { column, end }: { column: number; end: number },
  keys: readonly string[],
  { text: value, quotes }: NewWord,
): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const step = stepOf(text)
  const lines = keys.map((key, depth) => {
    const leaf = depth === keys.length - 1 ? ` ${quotes}${value}${quotes}` : ''
    return `${' '.repeat(column + depth * step)}${key}:${leaf}`
  })
  const newline = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end)
  if (newline < 0) return text + eol + lines.join(eol)
  return text.slice(0, newline + 1) + lines.map(line => line + eol).join('') + text.slice(newline + 1)
}

const lineStart = (text: string, offset: number) => text.lastIndexOf('\n', offset - 1) + 1

/** How much deeper the file indents a level: as its first indented line. */
function stepOf(text: string): number {
  return /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2
}

/** Where the last value of a node ends, without what is blank after it. */
function endOf(node: unknown): number {
  const end = rangeOf(node)?.[1] ?? 0
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1)
    return last ? Math.max(endOf(last.key), endOf(last.value)) : end
  }
  if (isSeq(node) && !node.flow) return node.items.length > 0 ? endOf(node.items.at(-1)) : end
  return end
}
