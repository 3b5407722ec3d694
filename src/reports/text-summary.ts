import type pc from 'picocolors'
import type { HostReport, HostStatus, Report } from '../core/report.ts'
import { isNotStarted } from '../core/rollout.ts'
import { printable } from '../core/terminal.ts'
import { attentionOrder, byAttention, isTroubled } from './attention.ts'

type Colors = ReturnType<typeof pc.createColors>

/** Most hosts that the summary names. */
const mostNamed = 20

/** What a run came to: of several hosts those in trouble, the worst first; hosts that were not started; how many of each. */
export function summaryLines(report: Report, colors: Colors): readonly string[] {
  const troubled = report.hosts.length > 1 ? byAttention(report.hosts).filter(isTroubled) : []
  const more = troubled.length - mostNamed
  return [
    ...troubled.slice(0, mostNamed).map(host => hostLine(host, colors)),
    ...(more > 0 ? [colors.red(`and ${more} more`)] : []),
    ...notStartedLines(report.hosts, colors),
    totals(report, colors),
  ]
}

function hostLine(host: HostReport, colors: Colors): string {
  const task = host.tasks.find(each => each.status === host.status)
  const error = host.error ?? task?.error
  const [why = ''] = error ? printable(error.message).split('\n') : []
  const where = host.error || !task ? '' : `${printable(task.label)}: `
  const reason = error ? `  ${where}${error.code}: ${why}` : ''
  return `${colors.red(host.status.padEnd(11))} ${colors.bold(printable(host.name))}${reason}`
}

/** Hosts that were left out for the same reason share a line. */
function notStartedLines(hosts: readonly HostReport[], colors: Colors): string[] {
  const names = new Map<string, string[]>()
  for (const { name, error } of hosts.filter(isNotStarted)) {
    const why = error?.message ?? ''
    const known = names.get(why)
    if (known) known.push(printable(name))
    else names.set(why, [printable(name)])
  }
  return [...names].map(([why, all]) => {
    const more = all.length > mostNamed ? ` and ${all.length - mostNamed} more` : ''
    return `${colors.red('not started')} ${all.slice(0, mostNamed).join(', ')}${more}  ${printable(why)}`
  })
}

function totals({ mode, hosts, summary, durationMs }: Report, colors: Colors): string {
  const count = (counts: Partial<Record<HostStatus, number>>) =>
    attentionOrder.flatMap(status => (counts[status] === undefined ? [] : `${counts[status]} ${status}`)).join(', ')
  const all = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`
  const line = `${all} (${count(summary.hosts)}); tasks: ${count(summary.tasks) || 'none'}; ${(durationMs / 1000).toFixed(1)} s`
  return colors.bold(line) + (mode === 'dry-run' ? '. Nothing was changed.' : '')
}
