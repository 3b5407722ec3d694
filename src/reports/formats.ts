import { jsonReport } from './json.ts'
import { ndjsonReport } from './ndjson.ts'
import type { Reporter } from './reporter.ts'
import { type TextOptions, textReport } from './text.ts'

/** What a report can be, by the name that the command line knows. */
export const reportFormats = ['text', 'json', 'ndjson'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** A report in a format; colours and how much is said are of interest for text only. */
export function reportIn(format: ReportFormat, options: TextOptions): Reporter {
  const { write } = options
  switch (format) {
    case 'text':
      return textReport(options)
    case 'json':
      return jsonReport(write)
    case 'ndjson':
      return ndjsonReport({ write })
  }
}
