import type { Report } from '../core/report.ts'
import type { Reporter } from './reporter.ts'

/** The whole report as JSON, once all is done: a plan that was only shown is not printed. */
export function jsonReport(write: (text: string) => void): Reporter {
  let last: Report | undefined
  return {
    onEvent: event => {
      if (event.type === 'end') last = event.report
    },
    finish: () => {
      if (last) write(`${JSON.stringify(last, null, 2)}\n`)
    },
  }
}
