import { githubReport } from './github.ts'
import { htmlReport } from './html.ts'
import { jsonReport } from './json.ts'
import { junitReport } from './junit.ts'
import { ndjsonReport } from './ndjson.ts'
import { prometheusReport } from './prometheus.ts'
import type { Reporter } from './reporter.ts'
import { type TextOptions, textReport } from './text.ts'

/** What a report can be, by the name that the command line knows. */
export const reportFormats = ['text', 'json', 'ndjson', 'junit', 'github', 'prometheus', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

export interface ReportOptions extends TextOptions {
  /** What stands where the report will be written. */
  readonly before?: string
}

/** A report in a format; colours and how much is said are of interest for text only. */
export function reportIn(format: ReportFormat, options: ReportOptions): Reporter {
  const { write, before = '' } = options
  switch (format) {
    case 'text':
      return textReport(options)
    case 'json':
      return jsonReport(write)
    case 'ndjson':
      return ndjsonReport({ write })
    case 'junit':
      return junitReport(write)
    case 'github':
      return githubReport(write)
    case 'prometheus':
      return prometheusReport({ write, before })
    case 'html':
      return htmlReport(write)
  }
}
