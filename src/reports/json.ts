import { type Reporter, reportAtEnd } from './reporter.ts'

/** The whole report as JSON. */
export function jsonReport(write: (text: string) => void): Reporter {
  return reportAtEnd(report => `${JSON.stringify(report, null, 2)}\n`, write)
}
