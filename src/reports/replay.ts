import type { Report, RunEvent } from '../core/report.ts'

/** The events that a run must have had for this to be its report: a saved report can be shown in any format. */
export function eventsOf(report: Report): readonly RunEvent[] {
  const { mode, hosts } = report
  return [
    { type: 'start', mode, hosts: hosts.map(host => host.name) },
    ...hosts.map(host => ({ type: 'host', report: host }) as const),
    { type: 'end', report },
  ]
}
