import type { FileRead } from 'sak-reconcile'
import { canonicalKey, words } from './keys.ts'

/** One line of a sysctl.d file that sets a key. `value: null` takes the key out again (`-key` with no value). */
export interface Assignment {
  readonly file: FileRead
  /** Counted from 1. */
  readonly line: number
  readonly key: string
  readonly value: string | null
}

/** What a sysctl.d file sets, in its order. Wildcards are left out: a key that is set by its full name wins over them. */
export function parseAssignments(file: FileRead): Assignment[] {
  return lines(file.content ?? '').flatMap((text, index) => {
    const assignment = parseLine(text)
    return assignment && !/[*?[]/.test(assignment.key) ? [{ file, line: index + 1, ...assignment }] : []
  })
}

function parseLine(text: string): Pick<Assignment, 'key' | 'value'> | undefined {
  const line = strip(text)
  if (line.startsWith('#') || line.startsWith(';')) return undefined
  const dash = line.startsWith('-')
  const [name = '', ...rest] = line.slice(dash ? 1 : 0).split('=')
  const key = canonicalKey(strip(name))
  if (key === '') return undefined
  if (rest.length > 0) return { key, value: words(rest.join('=')) }
  return dash ? { key, value: null } : undefined
}

/** The content with these lines (counted from 1) commented out; every other byte stays. */
export function commentOut(content: string, numbers: ReadonlySet<number>): string {
  return lines(content)
    .map((line, index) => (numbers.has(index + 1) ? `# ${line}` : line))
    .join('')
}

function strip(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}

/** The lines with their ends, so that joined they are the content again. */
function lines(content: string): string[] {
  return content.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** Where the paths are that are mounted read-only, and where those are that are not: the longest that holds a path decides. */
export function isReadOnly(mounts: string, path: string): boolean {
  let longest = ''
  let readOnly = false
  for (const mount of mounts.split('\n')) {
    const [, escaped = '', , options = ''] = mount.split(' ')
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    const holds = point !== '' && (path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`))
    if (!holds || point.length < longest.length) continue
    longest = point
    readOnly = options.split(',').includes('ro')
  }
  return readOnly
}
