import type pc from 'picocolors'
import type { Report, ReportStep } from '../core/report.ts'
import { printable } from '../core/terminal.ts'

type Colors = ReturnType<typeof pc.createColors>

/** A unified diff, coloured. */
export function diffLines(diff: string, colors: Colors): string[] {
  return printable(diff)
    .trimEnd()
    .split('\n')
    .map(line => {
      if (line.startsWith('+++') || line.startsWith('---')) return colors.bold(line)
      if (line.startsWith('@@')) return colors.cyan(line)
      if (line.startsWith('+')) return colors.green(line)
      return line.startsWith('-') ? colors.red(line) : line
    })
}

/** A value that is no file: an entry a line, what is and what should be. */
export function valueLines(before: unknown, after: unknown, colors: Colors): string[] {
  if (!isRecord(before) || !isRecord(after)) return [arrow(before, after, colors)]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const width = Math.max(...names.map(name => name.length))
  return names.map(name => `${printable(name).padEnd(width)}  ${arrow(before[name], after[name], colors)}`)
}

function arrow(before: unknown, after: unknown, colors: Colors): string {
  return `${colors.red(text(before))} → ${colors.green(text(after))}`
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
    return `${colors.dim(word)} ${printable(stepText(step))}${impact}`
  })
}

function stepText(step: ReportStep): string {
  const { kind, path, argv, action, name, title } = step
  if (typeof title === 'string') return title
  if (typeof path === 'string') return `${kind} ${path}`
  if (typeof action === 'string' && typeof name === 'string') return `${action} ${name}`.trimEnd()
  const words = Array.isArray(argv) ? argv.map(String).join(' ') : ''
  const line = words.replaceAll(/\s+/g, ' ')
  return `${kind === 'waitFor' ? 'wait for' : kind} ${line.length > 140 ? `${line.slice(0, 139)}…` : line}`
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
