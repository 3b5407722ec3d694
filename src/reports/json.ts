import type { RunEvent } from '../core/report.ts'

/** The whole report as JSON, once the run has ended. The last run counts: a plan that was only shown is not printed. */
export function jsonReport(write: (text: string) => void): (event: RunEvent) => void {
  return event => {
    if (event.type === 'end') write(`${JSON.stringify(event.report, null, 2)}\n`)
  }
}
