import type pc from 'picocolors'
import type { Report } from '../core/report.ts'
import { printable } from '../core/terminal.ts'
import { advicePieces, namesInShort, silencedReasons } from './advice-pieces.ts'

interface View {
  readonly colors: ReturnType<typeof pc.createColors>
  /** Sources, and what is silenced. */
  readonly verbose: boolean
}

/** Most hosts that a piece of advice names. */
const mostNamed = 3

/** What is known to hurt, each piece once for all hosts that it is for. */
export function adviceLines({ advice = [], silencedAdvice = [], hosts }: Report, { colors, verbose }: View): string[] {
  const given = advicePieces(advice).flatMap(({ id, task, message, suggestion, source, names }) => [
    `${colors.cyan('advice')} ${colors.bold(printable(id))} (${printable(task)})  ${printable(message)}`,
    `  rather: ${printable(suggestion)}`,
    ...(verbose ? [colors.dim(`  source: ${printable(source)}`)] : []),
    ...(hosts.length > 1 ? [`  on ${printable(namesInShort(names, mostNamed))}`] : []),
  ])
  return [...given, ...(verbose ? silenced(silencedAdvice, colors) : [])]
}

function silenced(all: NonNullable<Report['silencedAdvice']>, colors: View['colors']): string[] {
  if (all.length === 0) return []
  const count = all.length === 1 ? '1 piece of advice is' : `${all.length} pieces of advice are`
  return [colors.dim(`${count} silenced: ${printable(silencedReasons(all).join(', '))}`)]
}
