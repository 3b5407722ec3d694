/** The words of a crontab: commands, environment, and our block among the lines of others. */

/** Most characters of a command or a variable that cron takes. */
export const longestText = 998

/** A command as a crontab holds it: cron makes a line's end of `%` but `\%`, and reads `\\` as one backslash. */
export function escapePercent(command: string): string {
  return command.replace(/\\+(?=%)|\\{2,}/g, run => run + run).replaceAll('%', '\\%')
}

/** A command as one line for sh. */
export function shellLine(command: string | readonly string[]): string {
  if (typeof command === 'string') return command
  const [program = '', ...args] = command
  // a bare name might be a keyword of sh
  return [program.includes('/') ? word(program) : quoted(program), ...args.map(word)].join(' ')
}

const word = (arg: string) => (/^[\w@+:,./-]+$/.test(arg) ? arg : quoted(arg))
const quoted = (arg: string) => `'${arg.replaceAll("'", "'\\''")}'`

/** A command with variables of its own, for sh. */
export function withVariables(variables: Readonly<Record<string, string>>, line: string): string {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${word(value)}`)
  return assignments.length > 0 ? `export ${assignments.join(' ')}; ${line}` : line
}

/**
 * A line that sets a variable. Undefined for what cron cannot be given: a value with both kinds of quotes, or blanks at its end,
 * which cron cuts off within quotes too.
 */
export function variableLine(name: string, value: string): string | undefined {
  const mark = value.includes('"') ? "'" : '"'
  return value.includes(mark) || /\s$/.test(value) ? undefined : `${name}=${mark}${value}${mark}`
}

const beginOf = (name: string) => `# BEGIN sak-reconcile ${name}`
const endOf = (name: string) => `# END sak-reconcile ${name}`

/**
 * A crontab with our block as it should be (null: without it); all other lines keep every byte. A crontab that nothing is left
 * of is null. `'broken'` where the marks do not make one block.
 */
export function withBlock(content: string | null, name: string, body: string | null): string | null | 'broken' {
  const lines = (content ?? '').match(/[^\n]*\n|[^\n]+$/g) ?? []
  const at = (mark: string) => lines.flatMap((line, index) => (line.trimEnd() === mark ? [index] : []))
  const begins = at(beginOf(name))
  const ends = at(endOf(name))
  if (begins.length > 1 || begins.length !== ends.length) return 'broken'
  if (body === null && begins.length === 0) return content
  const block = body === null ? '' : `${beginOf(name)}\n${body}${endOf(name)}\n`
  const [begin = lines.length] = begins
  const [end = lines.length] = ends
  if (end < begin) return 'broken'
  const before = lines.slice(0, begin).join('')
  const after = lines.slice(end + 1).join('')
  const joined = `${before}${block && before && !before.endsWith('\n') ? '\n' : ''}${block}${after}`
  return joined === '' ? null : joined
}
