import type { DriftSpan } from '../core/report.ts'
import { readHistory } from '../drift/store.ts'
import { timelineOf } from '../drift/timeline.ts'

const backMs = 90 * 24 * 60 * 60 * 1000

/** What a history tells of the last 90 days, for reports; nothing where it cannot be read, which the run itself tells. */
export async function recentDrift(folder: string, now = new Date()): Promise<readonly DriftSpan[]> {
  const since = new Date(now.getTime() - backMs).toISOString()
  const history = await readHistory(folder, since).catch(() => undefined)
  if (!history) return []
  const { occurrences } = timelineOf(history, () => true, since)
  return occurrences.flatMap(({ item, resolvedAt = null }) => {
    const { host, task, key, path, entry, firstSeen } = item
    if (host === null) return []
    return [{ host, task, what: [key, path, entry].filter(Boolean).join(' '), firstSeen, resolvedAt }]
  })
}
