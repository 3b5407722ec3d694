import type { Report } from '../core/report.ts'
import { printable } from '../core/terminal.ts'
import { keepReport } from '../loading/last-report.ts'
import { rememberRun } from '../loading/last-run.ts'
import type { CliRun } from './run-options.ts'

/** Keeps what became of the hosts, for `--limit failed`. */
export async function remember(playbook: string, report: Report): Promise<void> {
  await orWarn('what --limit failed needs', () => rememberRun(playbook, report))
}

/** Keeps the report of a run, for `sak-reconcile report`. */
export async function rememberReport({ history }: Pick<CliRun, 'history'>, report: Report): Promise<void> {
  await orWarn('the report', () => keepReport(history, report))
}

/** Where something cannot be kept the run was no worse for it. */
async function orWarn(what: string, keep: () => Promise<void>): Promise<void> {
  try {
    await keep()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(`warning: ${what} cannot be kept: ${printable(why)}\n`)
  }
}
