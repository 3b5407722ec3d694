import type { HostReport, Report, ReportChange, ReportError, TaskReport } from '../core/report.ts'
import { shortened } from '../core/terminal.ts'
import { type Html, html } from './html-text.ts'
import { stepNotes, stepText, valueEntries } from './text-change.ts'

/** Bounds of a page that can be sent by mail: lines and characters of a diff, characters of a value, and of all that is shown. */
const most = { lines: 400, line: 1000, value: 1000, all: 1_500_000, named: 10 } as const

/** What is known of a task, or of a host as a whole: shown once for all hosts that have the same. */
export interface Detail {
  readonly id: string
  /** A task's label, or `host`. */
  readonly title: string
  readonly status: HostReport['status']
  readonly hosts: string[]
  readonly body: Html
}

/** The details of a run: the same on many hosts are one. */
export interface Details {
  readonly all: readonly Detail[]
  /** Whether there was more than fits in a page. */
  readonly isCut: boolean
  /** Where a task's details stand; none for what has nothing to tell. */
  taskId(host: HostReport, task: TaskReport): string | undefined
  hostId(host: HostReport): string | undefined
}

export function detailsOf({ hosts }: Report): Details {
  const details = new Map<string, Detail>()
  const ids = new Map<object, string>()
  let size = 0
  let isCut = false
  const note = (about: object, host: HostReport, part: Pick<Detail, 'title' | 'status' | 'body'>) => {
    const key = `${part.status} ${part.title}\n${part.body.markup}`
    const known = details.get(key)
    if (!known && size + key.length > most.all) {
      isCut = true
      return
    }
    const detail = known ?? { ...part, id: `d${details.size + 1}`, hosts: [] }
    if (!known) size += key.length
    details.set(key, detail)
    detail.hosts.push(host.name)
    ids.set(about, detail.id)
  }
  for (const host of hosts) {
    if (host.error) note(host, host, { title: 'host', status: host.status, body: errorHtml(host.error) })
    for (const task of host.tasks) {
      if (hasDetails(task)) note(task, host, { title: task.label, status: task.status, body: taskHtml(task) })
    }
  }
  return { all: [...details.values()], isCut, taskId: (_, task) => ids.get(task), hostId: host => ids.get(host) }
}

const hasDetails = ({ changes, steps, error, status }: TaskReport): boolean =>
  changes.length > 0 || steps.length > 0 || error !== null || status === 'deferred'

/** A detail with the hosts it is about. */
export function detailHtml({ id, title, status, hosts, body }: Detail): Html {
  const names = hosts.join(', ')
  const few = hosts.length <= most.named
  const on = few
    ? html`<p>on ${names}</p>`
    : html`<details><summary>on ${hosts.length} hosts</summary><p>${names}</p></details>`
  return html`<section class="detail" id="${id}" tabindex="-1" aria-labelledby="${id}-title">
<h3 id="${id}-title"><span class="${status}">${status}</span> ${title}</h3>
${on}
${body}
<p class="back"><a href="#fleet">back to the hosts</a></p>
</section>
`
}

function taskHtml(task: TaskReport): Html {
  const { error, changes, impact, status, label, together = [] } = task
  const others = together.filter(other => other !== label)
  const deferred = html`<p>Known once the tasks before it are applied.</p>`
  return html`${impact === 'none' ? undefined : html`<p>impact: ${impact}</p>`}${
    others.length > 0 ? html`<p>together with ${others.join(', ')}</p>` : undefined
  }${
    status === 'deferred' ? deferred : undefined
  }${error ? errorHtml(error) : undefined}${changes.map(changeHtml)}${stepsHtml(task)}`
}

function errorHtml({ code, message, step, said, hint, rollback }: ReportError): Html {
  const undone = step === null ? '' : rollback === 'done' ? ' (undone)' : ' (NOT undone)'
  return html`<div class="error"><p><strong>${code}</strong>: ${shortened(message, most.value)}${undone}</p>${
    said ? html`<pre tabindex="0" aria-label="what the host said">${bounded(said)}</pre>` : undefined
  }${hint ? html`<p><strong>hint</strong> ${hint}</p>` : undefined}</div>`
}

function changeHtml({ key, path, before, after, diff }: ReportChange): Html {
  const body = diff === undefined ? valuesHtml(before, after) : diffHtml(diff)
  return html`<h4>${key}${path === undefined ? undefined : html` <code>${path}</code>`}</h4>${body}`
}

function valuesHtml(before: unknown, after: unknown): Html {
  const rows = valueEntries(before, after).map(
    entry =>
      html`<tr><th scope="row">${entry.name || 'value'}</th><td><del>${shortened(entry.before, most.value)}</del></td><td><ins>${shortened(entry.after, most.value)}</ins></td></tr>`,
  )
  const more = rows.length - most.lines
  return html`<table class="values"><thead><tr><td></td><th scope="col">is</th><th scope="col">should be</th></tr></thead><tbody>${rows.slice(0, most.lines)}</tbody></table>${
    more > 0 ? html`<p>and ${more} more</p>` : undefined
  }`
}

/** A unified diff: lines of a kind that stand together are one element. */
function diffHtml(diff: string): Html {
  const groups: { tag: Tag; lines: string[] }[] = []
  for (const [index, line] of bounded(diff.replaceAll('\r', '␍')).replace(/\n$/, '').split('\n').entries()) {
    const tag = tagOf(line, index)
    const last = groups.at(-1)
    if (last?.tag === tag) last.lines.push(line)
    else groups.push({ tag, lines: [line] })
  }
  return html`<pre class="diff" tabindex="0" aria-label="diff">${groups.map(({ tag, lines }) => tagged(tag, `${lines.join('\n')}\n`))}</pre>`
}

type Tag = 'ins' | 'del' | 'b' | 'span'

function tagOf(line: string, index: number): Tag {
  if ((index < 2 && /^(\+\+\+|---) /.test(line)) || line.startsWith('@@')) return 'b'
  if (line.startsWith('+')) return 'ins'
  return line.startsWith('-') ? 'del' : 'span'
}

function tagged(tag: Tag, text: string): Html {
  switch (tag) {
    case 'ins':
      return html`<ins>${text}</ins>`
    case 'del':
      return html`<del>${text}</del>`
    case 'b':
      return html`<b>${text}</b>`
    default:
      return html`${text}`
  }
}

function bounded(text: string): string {
  const lines = text.split('\n')
  const more = lines.length - most.lines
  const shown = lines.slice(0, most.lines).map(line => shortened(line, most.line))
  return [...shown, ...(more > 0 ? [`… and ${more} more lines`] : [])].join('\n')
}

function stepsHtml({ steps, status }: TaskReport): Html | undefined {
  if (steps.length === 0) return undefined
  const items = steps.map(step => {
    const impact = step.impact === 'none' ? undefined : html` <em>(${step.impact})</em>`
    return html`<li>${shortened(stepText(step), most.value)}${impact}${stepNotes(step)}</li>`
  })
  return html`<h4>${stepsTitle(status)}</h4><ol>${items}</ol>`
}

/** Of a task that failed nobody knows here how far it came; the error says. */
function stepsTitle(status: TaskReport['status']): string {
  if (status === 'failed') return 'steps'
  return status === 'changed' ? 'did' : 'would'
}
