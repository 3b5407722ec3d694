import type { RunEvent } from '../core/report.ts'
import { openOutput } from '../loading/own-file.ts'
import { jsonReport } from '../reports/json.ts'
import { progressLine, progressLines } from '../reports/progress.ts'
import { textReport } from '../reports/text.ts'
import type { CliOptions } from './options.ts'
import { screen } from './screen.ts'

export interface ReportOutput {
  readonly onEvent: (event: RunEvent) => void
  /** Once the run has ended. */
  readonly finish: () => Promise<void>
}

/**
 * The report, to where the options say: lines as they come on stdout, or a file once all are there.
 * Throws SakError `usage` where that file cannot be written: before a host is changed, and not after.
 */
export async function reportTo(cli: CliOptions): Promise<ReportOutput> {
  const { format, output, quiet, verbose } = cli
  const file = output === undefined ? undefined : await openOutput(output, '-o')
  const parts: string[] = []
  const write = (text: string) => {
    if (output === undefined) screen.print(process.stdout, text)
    else parts.push(text)
  }
  const color = wantsColor(cli, process.stdout)
  const main = format === 'json' ? jsonReport(write) : textReport({ color, quiet, verbose, write })
  const listeners = [progress(cli), main.onEvent, planOnStderr(cli)] // the line that is redrawn is gone before the summary
  return {
    onEvent: event => {
      for (const listener of listeners) listener(event)
    },
    finish: async () => {
      main.finish()
      await file?.writeFile(parts.join(''))
      await file?.close()
    },
  }
}

type Listener = (event: RunEvent) => void

const onStderr = (text: string) => screen.print(process.stderr, text)

/** The plan that a person is asked about, where the report goes elsewhere. */
function planOnStderr(cli: CliOptions): Listener {
  const { dryRun, yes, format, output, quiet, verbose } = cli
  const isElsewhere = format !== 'text' || output !== undefined || !process.stdout.isTTY
  if (dryRun || yes || !isElsewhere) return () => {}
  return textReport({ color: wantsColor(cli, process.stderr), quiet, verbose, write: onStderr }).onEvent
}

/** How far the run is: a line that is redrawn on a terminal, plain lines where it cannot be or in a log that asks for them. */
function progress(cli: CliOptions): Listener {
  const { quiet, verbose, format, output } = cli
  const isPiped = format !== 'text' && output === undefined && !process.stdout.isTTY
  if (quiet || isPiped) return () => {}
  if (process.stderr.isTTY && process.env.TERM !== 'dumb') {
    const width = () => Math.max(0, (process.stderr.columns || 80) - 1)
    return progressLine({ color: wantsColor(cli, process.stderr), draw: screen.draw, width })
  }
  return verbose || process.stderr.isTTY ? progressLines(onStderr) : () => {}
}

function wantsColor({ color, output }: CliOptions, stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (!color || NO_COLOR) return false
  if (stream === process.stdout && output !== undefined) return false
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR)
  return stream.isTTY === true && TERM !== 'dumb'
}
