import { Report } from '../core/report.ts'
import { savedJson } from '../loading/saved-json.ts'
import { eventsOf } from '../reports/replay.ts'
import type { CliOptions } from './options.ts'
import { reportsTo } from './report-output.ts'

/** `report FILE`: a saved report in any format. */
export async function reportCommand(path: string, cli: CliOptions): Promise<void> {
  const report = await savedJson(path, Report, { what: 'report', hint: 'reports are saved with --format json -o FILE' })
  const output = reportsTo(cli)
  for (const event of eventsOf(report)) output.onEvent(event)
  await output.finish()
}
