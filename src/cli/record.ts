import { basename } from 'node:path'
import { nameOf } from '../core/playbook.ts'
import type { Report } from '../core/report.ts'
import { printable } from '../core/terminal.ts'
import type { JobOptions } from '../jobs.ts'
import { historyFolder } from '../loading/state-folder.ts'
import { type Recording, type RecordOptions, recorded } from '../recorded.ts'
import { driftText, driftTitle } from '../reports/drift-text.ts'
import type { CliRun } from './run-options.ts'
import { screen } from './screen.ts'

/** What the command line knows of a run that is to be kept. */
export interface CliRecord extends Pick<CliRun, 'history' | 'drift'> {
  readonly jobs: JobOptions
  readonly signal: AbortSignal
}

/** How the command line keeps a run. */
export function recordOptions({ history, drift, jobs, signal }: CliRecord) {
  const playbook = basename(nameOf(jobs.playbook))
  return {
    folder: historyFolder(history),
    playbook,
    config: drift,
    jobs,
    signal,
    words: events => ({ title: driftTitle(playbook, events), text: driftText(events) }),
    warn: message => screen.print(process.stderr, `warning: ${printable(message)}\n`),
  } satisfies Partial<RecordOptions>
}

/** An apply keeps what it found and mended, and tells of it, as `drift` does; it has the same lock. */
export async function recordedApply(
  record: CliRecord,
  act: (recording: Recording) => Promise<Report>,
): Promise<Report> {
  const options = { ...recordOptions(record), mode: 'apply', longestMs: 86_400_000, waitMs: 10_000 } as const
  return (await recorded(options, act)).report
}
