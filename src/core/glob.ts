import { quote } from './quote.ts'

// A set ends at the first `]` that is not its first character, and holds no slash: else its `[` is an ordinary character.
const wildcard = /(\*|\?|\[(?:[!^](?:\[:\w+:\]|[^/])|\[:\w+:\]|[^/!^])(?:\[:\w+:\]|[^\]/])*\])/u

/** A glob's pieces: ordinary text at even places, `*`, `?` and `[...]` at odd ones. Nothing else is special, not even `\`. */
const pieces = (glob: string): readonly string[] => glob.split(wildcard)

/** Whether a path matches any of the globs, as `sh` expands them: `*` stays within a directory and skips dotfiles. */
export function matchesAny(path: string, globs: readonly string[]): boolean {
  return globs.some(glob => glob === path || (wildcard.test(glob) && regExp(glob).test(path)))
}

/** The glob as a word of a script, for sh to expand: all is quoted but what is special in a glob. */
export function shellGlob(glob: string): string {
  const special = pieces(glob).map((piece, index) => {
    if (index % 2 === 0) return piece === '' ? '' : quote(piece)
    const { negated, parts } = readSet(piece)
    return parts === undefined ? piece : `[${negated ? '!' : ''}${parts.map(quoteInSet).join('')}]`
  })
  return special.join('')
}

function quoteInSet(part: string): string {
  if (part in classes) return part
  return [...part].map((character, index) => (isRange(part) && index === 1 ? '-' : quoteOne(character))).join('')
}

const quoteOne = (character: string) =>
  /\w/.test(character) ? character : character === "'" ? "\\'" : `'${character}'`

const known = new Map<string, RegExp>()

function regExp(glob: string): RegExp {
  const made = known.get(glob) ?? new RegExp(`^${pieces(glob).map(pieceSource).join('')}$`, 'u')
  known.set(glob, made)
  return made
}

function pieceSource(piece: string, index: number, all: readonly string[]): string {
  if (index % 2 === 0) return piece.replaceAll(/[^\w/]/gu, codePoint)
  const beginsName = all.slice(0, index).join('').endsWith('/')
  const hidden = beginsName ? '(?!\\.)' : '' // dotfiles are asked for by name
  if (piece === '*') return `${hidden}[^/]*`
  if (piece === '?') return `${hidden}[^/]`
  return `${hidden}${setSource(piece)}`
}

function setSource(set: string): string {
  const { negated, parts = [] } = readSet(set)
  return `(?!/)[${negated ? '^' : ''}${parts.map(partSource).join('')}]`
}

function partSource(part: string): string {
  if (part in classes) return classes[part] ?? ''
  if (!isRange(part)) return codePoint(part)
  const [first = '', , last = ''] = part
  return first <= last ? `${codePoint(first)}-${codePoint(last)}` : ''
}

const isRange = (part: string) => /^.-.$/su.test(part)

/** What stands in a set: characters, ranges and named classes; undefined for `*` and `?`. */
function readSet(piece: string): { negated: boolean; parts?: readonly string[] } {
  const [, negation, inside] = /^\[([!^]?)(.+)\]$/su.exec(piece) ?? []
  if (inside === undefined) return { negated: false }
  return { negated: negation !== '', parts: inside.match(/\[:\w+:\]|.-.|./gsu) ?? [] }
}

const codePoint = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`

const classes: Readonly<Record<string, string>> = {
  '[:alnum:]': 'a-zA-Z0-9',
  '[:alpha:]': 'a-zA-Z',
  '[:blank:]': ' \\t',
  '[:cntrl:]': '\\x00-\\x1f\\x7f',
  '[:digit:]': '0-9',
  '[:graph:]': '!-~',
  '[:lower:]': 'a-z',
  '[:print:]': ' -~',
  '[:punct:]': '!-\\/:-@\\[-`{-~',
  '[:space:]': '\\s',
  '[:upper:]': 'A-Z',
  '[:xdigit:]': '0-9a-fA-F',
}
