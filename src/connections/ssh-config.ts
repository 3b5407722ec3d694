import { SakError } from '../core/errors.ts'
import { matchesPatterns } from './known-hosts.ts'

/*
 * The npm package ssh-config was weighed and not taken: it follows no Include, cuts values at a `#` inside a word, takes
 * the next line where a value is missing, and leaves first-value-wins, tokens and time formats to its caller.
 */

/** One line of ssh_config. An Include holds the lines of its files. */
export interface ConfigLine {
  readonly keyword: string
  readonly args: readonly string[]
  readonly file: string
  readonly line: number
  readonly included?: readonly ConfigLine[]
}

/** The values of one host: the first given for each keyword, and all of IdentityFile's. In the order they were found. */
export type Directives = ReadonlyMap<string, readonly string[]>

export function parseSshConfig(text: string, file: string): ConfigLine[] {
  return text.split('\n').flatMap((raw, index) => {
    const found = /^\s*("?)([A-Za-z0-9]+)\1(?:[ \t]*=[ \t]*|[ \t]+|$)(.*)$/.exec(raw.replace(/\s+$/, ''))
    if (found === null) return []
    const [, , keyword = '', rest = ''] = found
    const args = splitWords(rest)
    if (args === undefined) throw badLine(file, index + 1, `a quote is not closed: ${raw.trim()}`)
    if (args.length === 0) throw badLine(file, index + 1, `${keyword} has no value`)
    return [{ keyword: keyword.toLowerCase(), args, file, line: index + 1 }]
  })
}

function badLine(file: string, line: number, what: string): SakError {
  return new SakError('invalid-config', `${file}:${line}: ${what}`, {
    hint: '`ssh -G HOST` shows what ssh makes of the file',
  })
}

/** ssh's own splitting: quotes of both kinds, a backslash before quotes, backslashes and blanks, `#` where a word begins. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    const next = text[i + 1] ?? ''
    const blank = char === ' ' || char === '\t'
    if (word === undefined && blank) continue
    if (word === undefined && char === '#') break
    word ??= ''
    if (char === '\\' && (/['"\\]/.test(next) || (quote === '' && next === ' '))) {
      word += next
      i++
    } else if (quote === '' && blank) {
      words.push(word)
      word = undefined
    } else if (quote === '' && (char === '"' || char === "'")) quote = char
    else if (quote !== '' && char === quote) quote = ''
    else word += char
  }
  if (quote !== '') return undefined
  return word === undefined ? words : [...words, word]
}

/** Whether only ssh itself can say what the lines mean. */
export function needsSsh(lines: readonly ConfigLine[]): boolean {
  return lines.some(
    ({ keyword, args, included }) =>
      keyword === 'match' ||
      (keyword === 'canonicalizehostname' && args[0]?.toLowerCase() !== 'no') ||
      (included !== undefined && needsSsh(included)),
  )
}

/** What the lines say about a host, as it was named on the command line. */
export function evaluate(lines: readonly ConfigLine[], host: string): Directives {
  const found = new Map<string, string[]>()
  collect(lines, host, true, found)
  return found
}

function collect(lines: readonly ConfigLine[], host: string, outer: boolean, found: Map<string, string[]>): void {
  let active = outer
  for (const { keyword, args, included } of lines) {
    if (keyword === 'host') active = outer && matchesPatterns(args, host)
    else if (included !== undefined) collect(included, host, active, found)
    else if (active && keyword === 'identityfile') found.set(keyword, added(found.get(keyword), args[0]))
    else if (active && !found.has(keyword)) found.set(keyword, [...args])
  }
}

/** ssh lists a key file once, however often it is named. */
function added(files: readonly string[] = [], file = ''): string[] {
  return [...new Set([...files, file])]
}

/** What `ssh -G` printed: one value a line, unquoted. */
export function parseSshG(text: string): Directives {
  const found = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line) ?? []
    if (keyword === undefined || value === undefined) continue
    const several = /knownhostsfile$/.test(keyword)
    // this one has its tokens filled in already
    if (keyword === 'hostname') found.set(keyword, [value.replaceAll('%', '%%')])
    else if (keyword === 'identityfile') found.set(keyword, [...(found.get(keyword) ?? []), value])
    else found.set(keyword, several ? value.split(' ') : [value])
  }
  return found
}
