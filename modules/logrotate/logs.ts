import { type Host, SakError } from 'sak-reconcile'
import { z } from 'zod'
import { matches } from './paths.ts'

/** A log, or a directory of logs, as it is on the host. */
export interface LogEntry {
  readonly type: 'file' | 'directory'
  readonly path: string
  /** The permission bits. */
  readonly mode: number
  /** `UNKNOWN` where the number has no name. */
  readonly owner: string
  readonly group: string
}

// Globs are expanded by sh, unquoted and with IFS empty, so that nothing but a glob is read in them. Logs are not read.
const script = `IFS=
for glob; do
  stat -L --printf='%f %U %G %n\\0' -- \${glob%/*}/. $glob 2>/dev/null
done
:`

/** The logs that globs match, and the directories they lie in. */
export async function readLogs(host: Host, globs: readonly string[]): Promise<readonly LogEntry[]> {
  const { stdout } = await host.command(['sh', '-s', '--', ...globs], { stdin: script })
  return parseLogs(stdout)
}

const Line = z
  .string()
  .regex(/^[0-9a-f]+ \S+ \S+ \//)
  .transform(line => line.split(' '))

/** Parses the answer: `mode owner group path`, NUL after each; the mode in hexadecimal, as stat(2) has it. */
export function parseLogs(answer: string): readonly LogEntry[] {
  const entries = new Map<string, LogEntry>()
  for (const line of answer.split('\0')) {
    if (line === '') continue
    const parsed = Line.safeParse(line)
    if (!parsed.success) {
      throw new SakError('answer-broken', 'the list of logs could not be read', { said: line.slice(0, 200) })
    }
    const [mode = '', owner = '', group = '', ...rest] = parsed.data
    const bits = Number.parseInt(mode, 16)
    const type = typeOf(bits)
    if (type === undefined) continue
    const path = rest.join(' ').replace(/(.)\/\.$/, '$1')
    entries.set(path, { type, path: path === '/.' ? '/' : path, mode: bits & 0o7777, owner, group })
  }
  return [...entries.values()]
}

function typeOf(bits: number): LogEntry['type'] | undefined {
  if ((bits & 0o170000) === 0o040000) return 'directory'
  return (bits & 0o170000) === 0o100000 ? 'file' : undefined
}

/** The directories that a glob's logs lie in. */
export function directoriesOf(glob: string, entries: readonly LogEntry[]): readonly LogEntry[] {
  const directory = glob.slice(0, glob.lastIndexOf('/')) || '/'
  return entries.filter(entry => entry.type === 'directory' && matches(entry.path, directory))
}

/** The logs that a glob matches. */
export function filesOf(glob: string, entries: readonly LogEntry[]): readonly LogEntry[] {
  return entries.filter(entry => entry.type === 'file' && matches(entry.path, glob))
}
