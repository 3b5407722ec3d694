import type { HostReport, TaskReport } from '../core/report.ts'
import { byAttention } from './attention.ts'
import type { Details } from './html-details.ts'
import { type Html, html } from './html-text.ts'

/** Hosts by tasks, those that need most attention first: each cell says what became of the task, and leads to what differs. */
export function gridHtml(hosts: readonly HostReport[], details: Details): Html {
  const labels = [...new Set(hosts.flatMap(({ tasks }) => tasks.map(({ label }) => label)))]
  const heads = labels.map(label => html`<th scope="col">${label}</th>`)
  const rows = byAttention(hosts).map(host => rowHtml(host, labels, details))
  return html`<div class="scroll" role="region" aria-label="hosts and tasks" tabindex="0"><table id="grid"><thead><tr><th scope="col">host</th><th scope="col">status</th>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div>
`
}

function rowHtml(host: HostReport, labels: readonly string[], details: Details): Html {
  const tasks = new Map(host.tasks.map(task => [task.label, task]))
  const cells = labels.map(label => cellHtml(tasks.get(label), host, details))
  return html`<tr><th scope="row">${host.name}</th>${statusCell(host.status, details.hostId(host))}${cells}</tr>
`
}

function cellHtml(task: TaskReport | undefined, host: HostReport, details: Details): Html {
  return task ? statusCell(task.status, details.taskId(host, task)) : html`<td></td>`
}

const statusCell = (status: string, id: string | undefined): Html =>
  id === undefined
    ? html`<td class="${status}">${status}</td>`
    : html`<td class="${status}"><a href="#${id}">${status}</a></td>`
