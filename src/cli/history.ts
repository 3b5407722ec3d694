import { SakError } from '../core/errors.ts'
import { patternMatcher } from '../core/host-pattern.ts'
import { Duration, durationMs } from '../core/units.ts'
import { readHistory } from '../drift/store.ts'
import { timelineOf } from '../drift/timeline.ts'
import { historyFolder } from '../loading/state-folder.ts'
import { historyText } from '../reports/history-text.ts'
import type { HistoryOptions } from './options.ts'
import { wantsColor } from './report-output.ts'
import { historyKey } from './run-options.ts'

/** `history`: the timeline of a playbook's hosts. */
export async function historyCommand(cli: HistoryOptions): Promise<void> {
  const folder = historyFolder(await historyKey(cli))
  const since = cli.since === undefined ? undefined : sinceOf(cli.since)
  const [host, task] = [cli.host, cli.task].map(pattern =>
    pattern === undefined ? () => true : patternMatcher(pattern),
  )
  const history = await readHistory(folder, since)
  if (!history.state) {
    throw new SakError('usage', 'there is no history of this playbook yet', {
      hint: 'sak-reconcile drift begins one; the same playbook and inventory have the same history',
    })
  }
  const wanted = (item: { host: string | null; task: string | null }) =>
    (host?.(item.host ?? '') ?? true) && (task?.(item.task ?? '') ?? true)
  const timeline = timelineOf(history, wanted, since)
  const text = cli.json
    ? `${JSON.stringify(timeline, null, 2)}\n`
    : historyText(timeline, wantsColor(cli, process.stdout))
  process.stdout.write(text)
}

function sinceOf(text: string): string {
  const back = Duration.safeParse(text)
  const time = back.success ? Date.now() - durationMs(back.data) : Date.parse(text)
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  throw new SakError('usage', `--since ${text} is no time`, { hint: 'for example 7d, 2026-11-01 or 2026-11-01T08:00Z' })
}
