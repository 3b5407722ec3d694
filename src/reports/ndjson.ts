import type { RunEvent } from '../core/report.ts'
import type { Reporter } from './reporter.ts'

export interface NdjsonOptions {
  /** Takes the text, whole lines at a time. */
  write(text: string): void
  now?(): Date
}

/**
 * What happens, as it happens: an event a line, as JSON with the time. The last line is the report without the hosts, which
 * stand in lines of their own.
 */
export function ndjsonReport({ write, now = () => new Date() }: NdjsonOptions): Reporter {
  return {
    onEvent: event => write(`${JSON.stringify({ time: now().toISOString(), ...line(event) })}\n`),
    finish: () => {},
  }
}

function line(event: RunEvent): object {
  if (event.type === 'start') return { schema: 'sak-reconcile/event@1', ...event }
  if (event.type !== 'end') return event
  const { hosts: _, ...report } = event.report
  return { type: 'end', report }
}
