import { appendFile } from 'node:fs/promises'
import type { RunEvent } from '../core/report.ts'
import { openOutput, textOf } from '../loading/output-file.ts'
import { type ReportFormat, reportIn } from '../reports/formats.ts'
import { githubSummary } from '../reports/github.ts'
import { progressLine, progressLines } from '../reports/progress.ts'
import { reportAtEnd } from '../reports/reporter.ts'
import { textReport } from '../reports/text.ts'
import type { CliOptions } from './options.ts'
import { screen } from './screen.ts'

export interface ReportOutput {
  readonly onEvent: (event: RunEvent) => void
  /** Once the run has ended. */
  readonly finish: () => Promise<void>
}

type ReportOptions = Pick<CliOptions, 'format' | 'output' | 'report' | 'quiet' | 'verbose' | 'color'>

/**
 * The report, to where the options say: lines as they come on stdout, or a file once all are there; and the further ones of --report.
 * Throws SakError `usage` where a file cannot be written: before a host is changed, and not after.
 */
export function reportTo(cli: CliOptions): ReportOutput {
  const { onEvent, finish } = reportsTo(cli)
  const listeners = [progress(cli), onEvent, planOnStderr(cli)] // the line that is redrawn is gone before the summary
  return { onEvent: toAll(listeners), finish }
}

/** The reports alone: no progress, no plan to be asked about. */
export function reportsTo(cli: ReportOptions): ReportOutput {
  return together([
    cli.output === undefined ? onStdout(cli) : inFile(cli, cli.format, cli.output, '-o'),
    furtherReportsTo(cli),
    ...githubPage(cli),
  ])
}

/** The reports of --report alone. */
export function furtherReportsTo(cli: ReportOptions): ReportOutput {
  return together(cli.report.map(({ format, file }) => inFile(cli, format, file, '--report')))
}

function together(all: readonly ReportOutput[]): ReportOutput {
  return {
    onEvent: toAll(all.map(each => each.onEvent)),
    finish: async () => {
      for (const { finish } of all) await finish()
    },
  }
}

function onStdout(cli: ReportOptions): ReportOutput {
  const { format, quiet, verbose } = cli
  const write = (text: string) => screen.print(process.stdout, text)
  const report = reportIn(format, { color: wantsColor(cli, process.stdout), quiet, verbose, write })
  return { onEvent: report.onEvent, finish: async () => report.finish() }
}

function inFile({ quiet, verbose }: ReportOptions, format: ReportFormat, path: string, option: string): ReportOutput {
  // node_exporter reads it as another user
  const metrics = format === 'prometheus' ? { mode: 0o644 } : {}
  const before = format === 'prometheus' ? textOf(path) : ''
  const file = openOutput(path, option, { live: format === 'ndjson', ...metrics })
  const report = reportIn(format, { color: false, quiet, verbose, write: file.write, before })
  return {
    onEvent: report.onEvent,
    finish: async () => {
      report.finish()
      await file.close()
    },
  }
}

/** With `--format github` in a workflow of GitHub: also what its page of the run shows. */
function githubPage({ format }: ReportOptions): ReportOutput[] {
  const path = process.env.GITHUB_STEP_SUMMARY
  if (format !== 'github' || !path) return []
  const parts: string[] = []
  const { onEvent, finish } = reportAtEnd(githubSummary, text => void parts.push(text))
  return [
    {
      onEvent,
      finish: async () => {
        finish()
        await appendFile(path, parts.join(''))
      },
    },
  ]
}

type Listener = (event: RunEvent) => void

function toAll(listeners: readonly Listener[]): Listener {
  return event => {
    for (const listener of listeners) listener(event)
  }
}

const onStderr = (text: string) => screen.print(process.stderr, text)

/** The plan that a person is asked about, where the report goes elsewhere. */
function planOnStderr(cli: CliOptions): Listener {
  const { dryRun, yes, format, output, quiet, verbose } = cli
  const isElsewhere = format !== 'text' || output !== undefined || !process.stdout.isTTY
  if (dryRun || yes || !isElsewhere) return () => {}
  return textReport({ color: wantsColor(cli, process.stderr), quiet, verbose, write: onStderr }).onEvent
}

/** How far the run is: a line that is redrawn on a terminal, plain lines where it cannot be or in a log that asks for them. */
export function progress(cli: CliOptions): Listener {
  const { quiet, verbose, format, output } = cli
  const isPiped = format !== 'text' && output === undefined && !process.stdout.isTTY
  if (quiet || isPiped) return () => {}
  if (process.stderr.isTTY && process.env.TERM !== 'dumb') {
    const width = () => Math.max(0, (process.stderr.columns || 80) - 1)
    return progressLine({ color: wantsColor(cli, process.stderr), draw: screen.draw, width })
  }
  return verbose || process.stderr.isTTY ? progressLines(onStderr) : () => {}
}

export function wantsColor({ color }: Pick<ReportOptions, 'color'>, stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (!color || NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR)
  return stream.isTTY === true && TERM !== 'dumb'
}
