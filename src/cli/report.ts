import { SakError } from '../core/errors.ts'
import { Report } from '../core/report.ts'
import { lastReport } from '../loading/last-report.ts'
import { savedJson } from '../loading/saved-json.ts'
import { historyFolder } from '../loading/state-folder.ts'
import { eventsOf } from '../reports/replay.ts'
import type { CliOptions } from './options.ts'
import { recentDrift } from './recent-drift.ts'
import { reportsTo } from './report-output.ts'
import { historyKey } from './run-options.ts'

/** `report [FILE]`: a saved report, or that of the last run, in any format. */
export async function reportCommand(path: string | undefined, cli: CliOptions): Promise<void> {
  const report = path === undefined ? await ofLastRun(cli) : await ofFile(path, cli)
  const output = reportsTo(cli)
  for (const event of eventsOf(report)) output.onEvent(event)
  await output.finish()
}

async function ofFile(path: string, { playbook, inventory }: CliOptions): Promise<Report> {
  if (playbook !== undefined || inventory !== undefined) {
    throw new SakError('usage', '--playbook and -i say whose last run is shown: leave them out, or the file')
  }
  return savedJson(path, Report, { what: 'report', hint: 'reports are saved with --format json -o FILE' })
}

/** The report that a run kept, with what the history tells since. */
async function ofLastRun(cli: CliOptions): Promise<Report> {
  const history = await historyKey(cli)
  const report = await lastReport(history)
  const timeline = await recentDrift(historyFolder(history))
  return timeline.length === 0 ? report : { ...report, timeline: [...timeline] }
}
