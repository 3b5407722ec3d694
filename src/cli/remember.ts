import type { Report } from '../core/report.ts'
import { printable } from '../core/terminal.ts'
import { rememberRun } from '../loading/last-run.ts'

/** Keeps what became of the hosts, for `--limit failed`. Where that cannot be kept the run was no worse for it. */
export async function remember(playbook: string, report: Report): Promise<void> {
  try {
    await rememberRun(playbook, report)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(`warning: what --limit failed needs cannot be kept: ${printable(why)}\n`)
  }
}
