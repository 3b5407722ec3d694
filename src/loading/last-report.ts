import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SakError } from '../core/errors.ts'
import { Report } from '../core/report.ts'
import { writeOwnFile } from './own-file.ts'
import { savedJson } from './saved-json.ts'
import { type Environment, playbookId, stateFolder } from './state-folder.ts'

const pathOf = (history: string, environment: Environment) =>
  join(stateFolder(environment), `report-${playbookId(history)}.json`)

/** Keeps the report of a run, in place of the run before: wholly or not at all. `history` tells a playbook and its hosts from others. */
export async function keepReport(
  history: string,
  report: Report,
  environment: Environment = process.env,
): Promise<void> {
  await mkdir(stateFolder(environment), { recursive: true, mode: 0o700 })
  await writeOwnFile(pathOf(history, environment), `${JSON.stringify(report)}\n`)
}

/** The report of the last run. Throws SakError `usage` where there was none. */
export async function lastReport(history: string, environment: Environment = process.env): Promise<Report> {
  const hint = 'run it once more: sak-reconcile --dry-run, or drift'
  try {
    return await savedJson(pathOf(history, environment), Report, { what: 'report of this version', hint })
  } catch (error) {
    if (!(error instanceof SakError && isMissing(error.cause))) throw error
    throw new SakError('usage', 'there was no run of this playbook yet', {
      hint: 'the same playbook and inventory have the same last run: name them as that run did, with --playbook and -i',
    })
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
