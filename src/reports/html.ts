import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HostStatus, Report } from '../core/report.ts'
import { attentionOrder } from './attention.ts'
import { adviceHtml } from './html-advice.ts'
import { budgetsHtml } from './html-budget.ts'
import { detailHtml, detailsOf } from './html-details.ts'
import { gridHtml } from './html-grid.ts'
import { type Html, html, raw } from './html-text.ts'
import { timelineHtml } from './html-timeline.ts'
import { type Reporter, reportAtEnd } from './reporter.ts'

/**
 * One page that needs nothing else: no network, no server. It reads without scripts, and a policy in it lets no other style or script
 * run than its own, whatever a host said.
 */
export function htmlReport(write: (text: string) => void): Reporter {
  return reportAtEnd(report => page(report).markup, write)
}

/** With no more details than that they are all open; else only the one that was followed. */
const mostOpen = 12

function page(report: Report): Html {
  const [style, script] = [asset('page.css'), asset('page.js')]
  const policy = `default-src 'none'; style-src '${digest(style)}'; script-src '${digest(script)}'; base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${titleOf(report)}</title>
<style>${raw(style)}</style>
</head>
${bodyHtml(report)}
<script>${raw(script)}</script>
</html>
`
}

const asset = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const digest = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`

function titleOf({ playbook, summary }: Report): string {
  return [countsOf(summary.hosts).join(', '), playbook, 'sak-reconcile'].filter(Boolean).join(' - ')
}

const countsOf = (counts: Partial<Record<HostStatus, number>>): string[] =>
  attentionOrder.flatMap(status => (counts[status] === undefined ? [] : `${counts[status]} ${status}`))

function bodyHtml(report: Report): Html {
  const { hosts, playbook, mode, startedAt, durationMs, summary } = report
  const details = detailsOf(report)
  const open = details.all.length <= mostOpen ? 'open' : 'followed'
  return html`<body>
<header>
<h1>${playbook ?? 'sak-reconcile'}</h1>
<p>${mode === 'dry-run' ? 'Dry run' : 'Apply'} of <time datetime="${startedAt}">${startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>, ${(durationMs / 1000).toFixed(1)} s${mode === 'dry-run' ? '. Nothing was changed.' : '.'}</p>
${countsHtml(hosts.length === 1 ? '1 host' : `${hosts.length} hosts`, summary.hosts)}
${countsHtml('tasks', summary.tasks)}
</header>
<main>
<section aria-labelledby="fleet"><h2 id="fleet" tabindex="-1">Hosts</h2>
<form id="filter" hidden><label>find <input type="search" name="find" autocomplete="off"></label> <label><input type="checkbox" name="attention"> only what is not in sync</label> <output role="status"></output></form>
${gridHtml(hosts, details)}</section>
${timelineHtml(report)}${budgetsHtml(hosts)}${adviceHtml(report)}${
  details.all.length > 0
    ? html`<section class="${open}" aria-labelledby="details"><h2 id="details">Details</h2>
${open === 'followed' ? html`<p class="lead">Follow a cell of the table to see what differs.</p>` : undefined}${
  details.isCut ? html`<p>More differs than fits in a page: the rest is in the report as JSON.</p>` : undefined
}${details.all.map(detailHtml)}</section>`
    : undefined
}
</main>
</body>`
}

function countsHtml(what: string, counts: Report['summary']['hosts']): Html {
  const items = attentionOrder.flatMap(status =>
    counts[status] === undefined ? [] : html`<li class="${status}">${counts[status]} ${status}</li>`,
  )
  return html`<ul class="counts" aria-label="${what}"><li>${what}</li>${items}</ul>`
}
