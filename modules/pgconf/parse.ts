import { type CommandResult, escapeSecrets, SakError, unescapeSecrets } from 'sak-reconcile'
import { z } from 'zod'

/** One line of a configuration file that says something. */
export interface Line {
  /** From 1. */
  readonly number: number
  /** In lower case; for an include, the directive. */
  readonly name: string
  readonly value: string
}

// the tokens of PostgreSQL's own lexer (guc-file.l), each as long as it can be
const letter = 'A-Za-z_\\u0080-\\uffff'
const name = `[${letter}][0-9${letter}]*`
const value = [
  "'(?:[^'\\\\]|\\\\.|'')*'",
  // a name with one dot is no value
  `(?!${name}\\.${name}(?![-.:/0-9${letter}]))[${letter}][-.:/0-9${letter}]*`,
  '[-+]?\\d*\\.\\d*(?:[Ee][-+]?\\d+)?',
  '[-+]?(?:0x[0-9a-fA-F]+|\\d+)[A-Za-z]*',
].join('|')
const blank = '[ \\t\\r]*'
const linePattern = new RegExp(
  `^${blank}(${name}(?:\\.${name})?)(?![-.:/0-9${letter}])${blank}(?:=${blank})?(${value})${blank}(?:#.*)?$`,
  's',
)

/** The lines of a postgresql.conf that set or include something. Comments and what PostgreSQL could not read are left out. */
export function parseLines(content: string): readonly Line[] {
  return content.split('\n').flatMap((text, index) => {
    const [, key, raw] = linePattern.exec(text) ?? []
    if (key === undefined || raw === undefined) return []
    return [{ number: index + 1, name: key.toLowerCase(), value: unquote(raw) }]
  })
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** A value without its quotes, as PostgreSQL reads it: `''`, `\'`, `\n`, `\101`. */
function unquote(value: string): string {
  if (!value.startsWith("'")) return value
  return unescapeSecrets(value.slice(1, -1), 'pgconf').replaceAll(
    /''|\\([0-7]{1,3}|.)/gs,
    (pair, escaped: string | undefined) => {
      if (pair === "''" || escaped === undefined) return "'"
      return /^[0-7]/.test(escaped) ? String.fromCharCode(Number.parseInt(escaped, 8)) : (escapes[escaped] ?? escaped)
    },
  )
}

/** A value as it stands in a file: bare where PostgreSQL takes it so, else in quotes. */
export function quoteValue(value: string): string {
  const text = escapeSecrets(value, 'pgconf')
  if (text === value && /^(?:[-+]?\d+[A-Za-z]*|[-+]?\d*\.\d+|[A-Za-z_][A-Za-z0-9_]*)$/.test(value)) return value
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** A server that runs, as its socket's lock file has it. */
export interface Lock {
  readonly dataDirectory: string
  readonly port: string
  readonly socket: string
}

/** Parses `.s.PGSQL.5432.lock`: process, data directory, start, port, directory of the socket. */
export function parseLock(content: string): Lock | undefined {
  const [, dataDirectory, , port, socket] = content.split('\n')
  if (!dataDirectory || !port || !socket || !/^\d+$/.test(port)) return undefined
  return { dataDirectory, port, socket }
}

/** Whether start.conf has the cluster started with the machine; Debian's default where it says nothing. */
export function parseStart(content: string | null): 'auto' | 'manual' | 'disabled' {
  const words = (content ?? '').split('\n').map(line => line.replace(/#.*/, '').trim())
  return (['manual', 'disabled'] as const).find(word => words.includes(word)) ?? 'auto'
}

const SettingRow = z.object({
  name: z.string(),
  setting: z
    .string()
    .nullable()
    .transform(setting => setting ?? ''),
  unit: z.string().nullable(),
  vartype: z.enum(['bool', 'integer', 'real', 'enum', 'string']),
  context: z.string(),
  source: z.string(),
  file: z.string().nullable(),
  min: z.string().nullable(),
  max: z.string().nullable(),
  enum: z.array(z.string()).nullable(),
  boot: z.string().nullable(),
  pending: z.boolean(),
})

const Status = z.object({
  version: z.number(),
  configFile: z.string(),
  standby: z.boolean(),
  loadedAt: z.number(),
  settings: z.array(SettingRow),
  custom: z.record(z.string(), z.string().nullable()).nullable(),
  sessions: z.array(
    z.object({ database: z.string().nullable(), role: z.string().nullable(), config: z.array(z.string()).nullable() }),
  ),
  alike: z.array(z.string()).nullable(),
})
/** A server that answers. */
export type Status = z.output<typeof Status>

/** What came of asking the server. */
export type Answer =
  | { readonly kind: 'up'; readonly status: Status }
  /** `occupant`: the configuration of another server that listens in its place. */
  | { readonly kind: 'down'; readonly occupant?: string }
  | { readonly kind: 'refused'; readonly said: string }

/** Parses what psql gave for status.sql. */
export function parseStatus({ code, stdout, stderr }: CommandResult): Answer {
  // psql itself says these, in English; what the server says may be in any language
  if (code === 2 && /No such file or directory|Connection refused/.test(stderr)) return { kind: 'down' }
  if (code !== 0) return { kind: 'refused', said: stderr.trim() }
  try {
    return { kind: 'up', status: Status.parse(JSON.parse(unescapeSecrets(stdout, 'json'))) }
  } catch (cause) {
    throw new SakError('answer-broken', 'psql answered with something else than the status', {
      said: stdout.slice(0, 500),
      cause,
    })
  }
}

/** What `postgres -C` refuses in the configuration, and the files that it names; undefined where it takes all. */
export interface Fault {
  readonly said: string
  readonly files: readonly string[]
}

/** Parses what `postgres -C` gave: `... LOG:  syntax error in file "/etc/..." line 3, near token "="`. */
export function parsePreflight({ code, stderr }: CommandResult): Fault | undefined {
  if (code === 0) return undefined
  const lines = stderr
    .split('\n')
    .map(line => line.replace(/^.*? \[\d+\] /, '').trim())
    .filter(line => line !== '')
  const files = [...stderr.matchAll(/"(\/[^"\n]*)"/g)].map(([, path]) => path ?? '')
  return { said: lines.slice(0, 10).join('\n'), files: [...new Set(files)] }
}

/** The value of a line that `pg_controldata` prints: `max_connections setting:              100`. */
export function parseControlData(stdout: string): ReadonlyMap<string, string> {
  return new Map([...stdout.matchAll(/^(\w+) setting:\s+(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]))
}
