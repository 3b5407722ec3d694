import type { DriftSpan, Report } from '../core/report.ts'
import { type Html, html } from './html-text.ts'

/** Most rows that are shown: what is there longest first, then what was resolved last. */
const mostShown = 200

/** When what drifted began and ended, on one scale of time up to the end of the run. */
export function timelineHtml({ timeline = [], startedAt, durationMs }: Report): Html | undefined {
  if (timeline.length === 0) return undefined
  const now = Date.parse(startedAt) + durationMs
  const start = Math.min(...timeline.map(({ firstSeen }) => Date.parse(firstSeen)))
  const rows = [...timeline].sort(inOrder).map(span => rowHtml(span, { start, now }))
  const more = rows.length - mostShown
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
<div class="scroll" role="region" aria-label="timeline of drift" tabindex="0"><table><thead><tr><th scope="col">host</th><th scope="col">task</th><th scope="col">what</th><th scope="col">first seen</th><th scope="col">for</th><td>${day(start)} to ${day(now)}</td></tr></thead>
<tbody>${rows.slice(0, mostShown)}</tbody></table></div>
${more > 0 ? html`<p>and ${more} more</p>` : undefined}</section>
`
}

/** Strings of ISO times are in order as they are. */
function inOrder(a: DriftSpan, b: DriftSpan): number {
  if (a.resolvedAt === null && b.resolvedAt === null) return a.firstSeen < b.firstSeen ? -1 : 1
  if (a.resolvedAt === null || b.resolvedAt === null) return a.resolvedAt === null ? -1 : 1
  return a.resolvedAt > b.resolvedAt ? -1 : 1
}

function rowHtml(span: DriftSpan, { start, now }: { start: number; now: number }): Html {
  const { host, task, what, firstSeen, resolvedAt } = span
  const [from, to] = [Date.parse(firstSeen), resolvedAt === null ? now : Date.parse(resolvedAt)]
  const at = (time: number) => (((time - start) / Math.max(1, now - start)) * 990).toFixed(1)
  const width = (Number(at(to)) - Number(at(from)) + 10).toFixed(1) // what was short shows too
  const state = resolvedAt === null ? 'open' : 'resolved'
  const bar = html`<svg class="span" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect class="${state}" x="${at(from)}" width="${width}" height="10"/></svg>`
  return html`<tr><th scope="row">${host}</th><td>${task ?? ''}</td><td>${what}</td><td>${minute(firstSeen)}</td><td>${lasting(to - from)}${resolvedAt === null ? ', still' : ''}</td><td>${bar}</td></tr>
`
}

const day = (time: number) => new Date(time).toISOString().slice(0, 10)
const minute = (time: string) => time.replace('T', ' ').slice(0, 16)

/** A length of time in its two largest units. */
function lasting(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  const parts = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return 'less than a minute'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}
