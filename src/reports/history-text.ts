import pc from 'picocolors'
import type { DriftItem, ResolvedBy, RunRecord } from '../core/drift.ts'
import { minute, spanOf, whereOf } from './drift-text.ts'

/** What a history comes to, as the `history` command shows it. */
interface History {
  readonly runs: number
  readonly lastRun: RunRecord | null
  readonly occurrences: readonly {
    readonly item: DriftItem
    readonly changes: number
    readonly resolvedAt?: string
    readonly by?: ResolvedBy
  }[]
  readonly flaps: readonly { readonly item: DriftItem; readonly times: number }[]
  readonly meanMsToMend: Readonly<Partial<Record<ResolvedBy | 'all', number>>>
}

const byWhom: Readonly<Record<ResolvedBy, string>> = {
  us: 'our own apply',
  outside: 'not by us',
  playbook: 'playbook or inventory changed',
  ignored: 'ignored since',
}

/** The timeline, then what comes and goes, then how long mending takes. */
export function historyText({ runs, lastRun, occurrences, flaps, meanMsToMend }: History, color: boolean): string {
  const colors = pc.createColors(color)
  const lines = occurrences.map(({ item, resolvedAt, by }) => {
    const isOpen = resolvedAt === undefined
    const span = isOpen ? 'still there' : spanOf(Date.parse(resolvedAt) - Date.parse(item.firstSeen))
    const end = isOpen ? colors.yellow(span.padEnd(11)) : colors.green(span.padEnd(11))
    const who = by === undefined || item.subject !== 'drift' ? '' : `  ${byWhom[by]}`
    const ignored = item.ignored === undefined ? '' : colors.dim(`  ignored: ${item.ignored}`)
    return `${minute(item.firstSeen)}  ${end}  ${whereOf(item)}${colors.dim(who)}${ignored}`
  })
  const comesAndGoes = flaps.map(({ item, times }) => `  ${String(times).padStart(4)} times  ${whereOf(item)}`)
  const means = Object.entries(meanMsToMend).map(
    ([by, ms]) => `${spanOf(ms)} ${by === 'all' ? 'on average' : `(${by})`}`,
  )
  const open = occurrences.filter(({ resolvedAt }) => resolvedAt === undefined).length
  return [
    ...lines,
    ...(lines.length > 0 ? [''] : []),
    ...(comesAndGoes.length > 0 ? [colors.bold('comes and goes'), ...comesAndGoes, ''] : []),
    ...(means.length > 0 ? [`time to mend: ${means.join(', ')}`] : []),
    `${runs} run${runs === 1 ? '' : 's'}, the last ${lastRun ? `${minute(lastRun.at)} (exit code ${lastRun.exitCode})` : 'never'}; ${open} still there`,
    '',
  ].join('\n')
}
