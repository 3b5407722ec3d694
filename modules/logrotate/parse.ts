/** Reads logrotate's configuration as logrotate itself does, and knows where everything stands, so that the rest keeps its bytes. */

/** A directive. `value` is the rest of its line, for those that take one; a script's lines for those that are scripts. */
export interface Directive {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** One log or glob in the header of a stanza. */
export interface Pattern {
  readonly glob: string
  readonly start: number
  readonly end: number
}

export interface ParsedStanza {
  readonly patterns: readonly Pattern[]
  readonly directives: readonly Directive[]
  /** From the first character of the header to after the closing brace. */
  readonly start: number
  readonly end: number
  readonly line: number
}

export interface ParsedConfig {
  /** What stands outside stanzas, for all that follows: `include`, `tabooext`, defaults. */
  readonly globals: readonly Directive[]
  readonly stanzas: readonly ParsedStanza[]
}

const scripts = new Set(['prerotate', 'postrotate', 'firstaction', 'lastaction', 'preremove'])
const takesValue = new Set(
  (
    'su create createolddir size minsize maxsize shredcycles weekly rotate start minage maxage mail tabooext taboopat ' +
    'include olddir extension addextension compresscmd uncompresscmd compressoptions compressext dateformat'
  ).split(' '),
)

/** Parses a configuration. Never fails: like logrotate, it goes on after what it does not understand. */
export function parseConfig(text: string): ParsedConfig {
  const globals: Directive[] = []
  const stanzas: ParsedStanza[] = []
  let open: (Omit<ParsedStanza, 'end'> & { directives: Directive[] }) | undefined
  const lineAt = lineCounter(text)
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    if (/\s/.test(character)) at += 1
    else if (character === '#') at = endOfLine(text, at)
    else if (character === '}') {
      if (open) stanzas.push({ ...open, end: at + 1 })
      open = undefined
      at += 1
    } else if (/[/"'~]/.test(character) && !open) {
      const brace = endOfHeader(text, at)
      open = { patterns: readPatterns(text, at, brace), directives: [], start: at, line: lineAt(at) }
      at = brace + 1
    } else {
      const { directive, end } = readDirective(text, at, lineAt(at))
      if (directive) (open?.directives ?? globals).push(directive)
      at = end
    }
  }
  // logrotate takes a stanza whose closing brace is missing for one that ends with the file.
  if (open) stanzas.push({ ...open, end: text.length })
  return { globals, stanzas }
}

function lineCounter(text: string): (at: number) => number {
  let line = 1
  let counted = 0
  return at => {
    for (; counted < at; counted += 1) if (text[counted] === '\n') line += 1
    return line
  }
}

function endOfLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at)
  return newline === -1 ? text.length : newline
}

function readDirective(text: string, at: number, line: number): { directive?: Directive; end: number } {
  const word = /[A-Za-z]+/y
  word.lastIndex = at
  const name = word.exec(text)?.[0]
  if (name === undefined) return { end: endOfLine(text, at) }
  const after = at + name.length
  if (scripts.has(name)) {
    const ending = /^[\t ]*endscript(?![A-Za-z])/gm
    ending.lastIndex = after
    const found = ending.exec(text)
    const end = found ? found.index + found[0].length : text.length
    return { directive: { name, value: text.slice(after, found?.index ?? end), line }, end }
  }
  // A flag may share its line with what follows.
  if (!takesValue.has(name)) return { directive: { name, value: '', line }, end: after }
  const end = endOfLine(text, after)
  const value = text
    .slice(after, end)
    .replace(/^[\t ]*=?[\t ]*/, '')
    .trimEnd()
  return { directive: { name, value, line }, end }
}

/** Where the `{` after a header stands: even a quoted one counts, one in a comment line does not. */
function endOfHeader(text: string, at: number): number {
  for (let position = at; position < text.length; position += 1) {
    if (text[position] === '{') return position
    if (text[position] === '#' && isFirstOfLine(text, position, at)) position = endOfLine(text, position)
  }
  return text.length
}

function isFirstOfLine(text: string, position: number, from: number): boolean {
  let before = position - 1
  while (before >= from && /[^\S\n]/.test(text.charAt(before))) before -= 1
  return before >= from && text[before] === '\n'
}

/** The words of a header, by the quoting rules of sh: blanks part them, `'`, `"` and `\` quote. */
function readPatterns(text: string, from: number, to: number): Pattern[] {
  const patterns: Pattern[] = []
  let at = from
  while (at < to) {
    if (/\s/.test(text.charAt(at))) at += 1
    else if (text[at] === '#' && isFirstOfLine(text, at, from)) at = endOfLine(text, at)
    else {
      const word = readWord(text, at, to)
      patterns.push(word)
      at = word.end
    }
  }
  return patterns
}

function readWord(text: string, from: number, to: number): Pattern {
  let glob = ''
  let quote = ''
  let at = from
  for (; at < to; at += 1) {
    const character = text.charAt(at)
    if (character === quote) quote = ''
    else if (quote === '' && /["']/.test(character)) quote = character
    else if (quote === '' && /\s/.test(character)) break
    else if (character === '\\' && quote !== "'" && at + 1 < to) {
      at += 1
      glob += text.charAt(at)
    } else glob += character
  }
  return { glob, start: from, end: Math.min(at, to) }
}

/**
 * The names in a directory that `include` passes over, unless the configuration says otherwise: those of logrotate 3.21
 * (config.c; its manual's .new, .old and .orig came later, and a file with such a name is live).
 */
const tabooExtensions = (
  ',v .bak .cfsaved .disabled .dpkg-bak .dpkg-del .dpkg-dist .dpkg-new .dpkg-old .dpkg-tmp .rhn-cfg-tmp-* .rpmnew ' +
  '.rpmorig .rpmsave .swp .ucf-dist .ucf-new .ucf-old ~'
).split(' ')

/** The globs of file names that a configuration's `include` passes over. */
export function tabooGlobs(config: ParsedConfig): readonly string[] {
  let globs = tabooExtensions.map(extension => `*${extension}`)
  for (const { name, value } of config.globals) {
    if (name !== 'tabooext' && name !== 'taboopat') continue
    const adds = value.startsWith('+')
    const words = (adds ? value.slice(1) : value).split(/[\s,]+/).filter(word => word !== '')
    const added = name === 'tabooext' ? words.map(word => `*${word}`) : words
    globs = adds ? [...globs, ...added] : added
  }
  return globs
}

/** A configuration's text without some words of a stanza's header, or without the stanza if none is left. */
export function withoutPatterns(text: string, stanza: ParsedStanza, unwanted: readonly Pattern[]): string {
  if (unwanted.length === stanza.patterns.length) {
    const newline = /^[\t ]*\n/.exec(text.slice(stanza.end))?.[0] ?? ''
    return text.slice(0, stanza.start) + text.slice(stanza.end + newline.length)
  }
  return [...unwanted]
    .sort((a, b) => b.start - a.start)
    .reduce((left, { start, end }) => left.slice(0, start) + left.slice(end).trimStart(), text)
}
