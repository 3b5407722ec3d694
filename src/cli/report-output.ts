import { writeFile } from 'node:fs/promises'
import type { RunEvent } from '../core/report.ts'
import { printable } from '../core/terminal.ts'
import { jsonReport } from '../reports/json.ts'
import { textReport } from '../reports/text.ts'
import type { CliOptions } from './options.ts'

export interface ReportOutput {
  readonly onEvent: (event: RunEvent) => void
  /** Once the run has ended. */
  readonly finish: () => Promise<void>
}

/** The report, to where the options say: lines as they come on stdout, or a file once all are there. */
export function reportTo(cli: CliOptions): ReportOutput {
  const { format, output, quiet, verbose } = cli
  const parts: string[] = []
  const write = (text: string) => {
    if (output === undefined) process.stdout.write(text)
    else parts.push(text)
  }
  const color = wantsColor(cli, process.stdout)
  const main = format === 'json' ? jsonReport(write) : textReport({ color, quiet, verbose, write })
  const listeners = [main.onEvent, forThePerson(cli)]
  return {
    onEvent: event => {
      for (const listener of listeners) listener(event)
    },
    finish: async () => {
      main.finish()
      if (output !== undefined) await writeFile(output, parts.join(''))
    },
  }
}

/** On stderr: the plan that a person is asked about, where the report goes elsewhere; else what is being applied. */
function forThePerson(cli: CliOptions): (event: RunEvent) => void {
  const { dryRun, yes, format, output, quiet, verbose } = cli
  const write = (text: string) => void process.stderr.write(text)
  const isElsewhere = format !== 'text' || output !== undefined || !process.stdout.isTTY
  if (!dryRun && !yes && isElsewhere) {
    return textReport({ color: wantsColor(cli, process.stderr), quiet, verbose, write }).onEvent
  }
  if (quiet || !process.stderr.isTTY) return () => {}
  return event => {
    if (event.type === 'task') write(`${printable(event.host)}: applying ${printable(event.label)}\n`)
  }
}

function wantsColor({ color, output }: CliOptions, stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (!color || NO_COLOR) return false
  if (stream === process.stdout && output !== undefined) return false
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR)
  return stream.isTTY === true && TERM !== 'dumb'
}
