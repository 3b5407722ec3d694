import type pc from 'picocolors'
import type { Report } from '../core/report.ts'
import { printable } from '../core/terminal.ts'

interface View {
  readonly colors: ReturnType<typeof pc.createColors>
  /** Sources, and what is silenced. */
  readonly verbose: boolean
}

/** Most hosts that a piece of advice names. */
const mostNamed = 3

/** What is known to hurt, each piece once for all hosts that it is for. */
export function adviceLines({ advice = [], silencedAdvice = [], hosts }: Report, { colors, verbose }: View): string[] {
  const pieces = new Map<string, { lines: string[]; names: string[] }>()
  for (const { id, host, task, message, suggestion, source } of advice) {
    const head = `${colors.cyan('advice')} ${colors.bold(printable(id))} (${printable(task)})`
    const lines = [
      `${head}  ${printable(message)}`,
      `  rather: ${printable(suggestion)}`,
      ...(verbose ? [colors.dim(`  source: ${printable(source)}`)] : []),
    ]
    const key = lines.join('\n')
    const piece = pieces.get(key) ?? { lines, names: [] }
    piece.names.push(printable(host))
    pieces.set(key, piece)
  }
  const given = [...pieces.values()].flatMap(({ lines, names }) => (hosts.length > 1 ? [...lines, on(names)] : lines))
  return [...given, ...(verbose ? silenced(silencedAdvice, colors) : [])]
}

function on(names: readonly string[]): string {
  const more = names.length - mostNamed
  return `  on ${names.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function silenced(all: NonNullable<Report['silencedAdvice']>, colors: View['colors']): string[] {
  if (all.length === 0) return []
  const reasons = new Set(all.map(({ id, reason }) => `${id} (${reason})`))
  const count = all.length === 1 ? '1 piece of advice is' : `${all.length} pieces of advice are`
  return [colors.dim(`${count} silenced: ${printable([...reasons].join(', '))}`)]
}
