import { isDeepStrictEqual } from 'node:util'
import type pc from 'picocolors'
import type { Report, ReportChange, ReportError, ReportStep } from '../core/report.ts'
import { printable, shortened } from '../core/terminal.ts'

type Colors = ReturnType<typeof pc.createColors>

/** What differs in a key: its name, then the diff or the values, with lines of at most so many columns. */
export function changeLines(change: ReportChange, colors: Colors, columns?: number): string[] {
  const title = colors.bold(printable(change.key)) + (change.path ? ` ${printable(change.path)}` : '')
  const body =
    change.diff === undefined
      ? valueLines(change.before, change.after, colors, columns)
      : diffLines(change.diff, colors, columns)
  return [title, ...indent(body)]
}

/** The first of the lines, and how many more there are; `where` they are. */
export function firstLines(lines: readonly string[], most: number, where = ''): readonly string[] {
  const more = lines.length - most
  return more > 0 ? [...lines.slice(0, most), `… and ${more} more line${more === 1 ? '' : 's'}${where}`] : lines
}

/** An error in full: what happened, what the host said, what to do next. */
export function errorLines({ code, message, step, said, hint, rollback }: ReportError, colors: Colors): string[] {
  const lines = printable(message).split('\n')
  const wasUndone = step ? ` (${rollback === 'done' ? 'undone' : 'NOT undone'})` : ''
  return [
    colors.red(`${code}: ${lines[0] ?? ''}${wasUndone}`),
    ...lines.slice(1).map(line => colors.red(`  ${line}`)),
    ...(said
      ? printable(said)
          .split('\n')
          .slice(-20)
          .map(line => colors.dim(`  | ${line}`))
      : []),
    ...(hint ? [`  ${colors.cyan('hint')} ${printable(hint)}`] : []),
  ]
}

/** A unified diff, coloured. */
export function diffLines(diff: string, colors: Colors, columns = Number.POSITIVE_INFINITY): string[] {
  return printable(diff.replaceAll('\r', '␍'))
    .replace(/\n$/, '')
    .split('\n')
    .map((whole, index) => {
      const line = shortened(whole, columns)
      if (index < 2 && /^(\+\+\+|---) /.test(line)) return colors.bold(line)
      if (line.startsWith('@@')) return colors.cyan(line)
      if (line.startsWith('+')) return colors.green(line)
      return line.startsWith('-') ? colors.red(line) : line
    })
}

/** A value that is no file: an entry a line, what is and what should be. */
export function valueLines(
  before: unknown,
  after: unknown,
  colors: Colors,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const entries = valueEntries(before, after)
  const width = Math.max(...entries.map(({ name }) => name.length))
  return entries.map(entry => {
    const [was, willBe] = [shortened(entry.before, columns), shortened(entry.after, columns)]
    const arrow = `${colors.red(was)} → ${colors.green(willBe)}`
    return entry.name === '' ? arrow : `${entry.name.padEnd(width)}  ${arrow}`
  })
}

interface Entry<T> {
  /** Empty where the values have no parts. */
  readonly name: string
  readonly before: T
  readonly after: T
}

/** A value's parts that differ, as text that can be shown. Of what is nested only what differs. */
export function valueEntries(before: unknown, after: unknown): readonly Entry<string>[] {
  return differing('', before, after).map(entry => ({ ...entry, before: text(entry.before), after: text(entry.after) }))
}

function differing(path: string, before: unknown, after: unknown): Entry<unknown>[] {
  if (!isRecord(before) || !isRecord(after)) return [{ name: path, before, after }]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names
    .filter(name => !isDeepStrictEqual(before[name], after[name]))
    .flatMap(name => differing(path + (path && ' ') + printable(name), before[name], after[name]))
}

function text(value: unknown): string {
  if (value === null || value === undefined) return '(none)'
  return printable(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('\n', '⏎')
}

/** What would be done, or was: a step a line. */
export function stepLines(steps: readonly ReportStep[], mode: Report['mode'], colors: Colors): string[] {
  const word = mode === 'dry-run' ? 'would' : 'did'
  return steps.map(step => {
    const impact = step.impact === 'none' ? '' : colors.yellow(` (${step.impact})`)
    return `${colors.dim(word)} ${printable(stepText(step))}${impact}${colors.dim(stepNotes(step))}`
  })
}

/** What a reviewer must know of a step besides: that it does not go back, that it is done once for several tasks. */
export function stepNotes({ undo, sharedWith }: ReportStep): string {
  const parts = [
    ...(undo === 'none' ? ['cannot be undone'] : []),
    ...(sharedWith ? [`once, for ${sharedWith.map(printable).join(', ')} too`] : []),
  ]
  return parts.length === 0 ? '' : ` [${parts.join('; ')}]`
}

/** A step in a few words. */
export function stepText(step: ReportStep): string {
  const { kind, path, argv, action, name, title, user } = step
  if (typeof title === 'string') return title
  if (typeof path === 'string') return pathStepText(step, path)
  if (typeof action === 'string' && typeof name === 'string') {
    const whose = typeof user === 'string' ? ` (of ${user})` : ''
    return `${`${action} ${name}`.trimEnd()}${whose}`
  }
  const words = Array.isArray(argv) ? argv.map(String).join(' ') : ''
  const line = words.replaceAll(/\s+/g, ' ')
  return `${kind === 'waitFor' ? 'wait for' : kind} ${line.length > 140 ? `${line.slice(0, 139)}…` : line}`
}

function pathStepText({ kind, target, mode, owner, group }: ReportStep, path: string): string {
  if (kind === 'directory') return `make directory ${path} (${String(mode)} ${String(owner)}:${String(group)})`
  if (kind === 'link') return `link ${path} → ${String(target)}`
  return kind === 'remove-directory' ? `remove directory ${path}` : `${kind} ${path}`
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const indent = (lines: readonly string[], by = 2): string[] => lines.map(line => ' '.repeat(by) + line)
