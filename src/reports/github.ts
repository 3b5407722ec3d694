import type { HostReport, Report, TaskReport } from '../core/report.ts'
import { printable, shortened } from '../core/terminal.ts'
import { errorDetails, headline, taskDetails } from './plain-task.ts'
import { type Reporter, reportAtEnd } from './reporter.ts'

/** GitHub shows ten annotations of a kind for a step, and drops the others without a word. */
const mostShown = 10

/** Characters of an annotation's text; GitHub cuts longer ones. */
const mostText = 4000

/**
 * GitHub's workflow commands: an error for each task that failed or could not be judged and each host that could not be reached,
 * a warning for each task that differs. What is beyond the number that GitHub shows is counted in the last one.
 */
export function githubReport(write: (text: string) => void): Reporter {
  return reportAtEnd(report => [...annotationsOf(report), sumOf(report)].join('\n').concat('\n'), write)
}

interface Annotation {
  readonly kind: 'error' | 'warning'
  readonly title: string
  readonly text: string
}

function annotationsOf(report: Report): readonly string[] {
  const all = report.hosts.flatMap(hostAnnotations)
  return (['error', 'warning'] as const).flatMap(kind => {
    const found = all.filter(each => each.kind === kind)
    if (found.length <= mostShown) return found.map(command)
    const shown = found.slice(0, mostShown - 1)
    const rest = found.slice(mostShown - 1)
    const text = rest.map(({ title }) => title).join('\n')
    return [...shown, { kind, title: `and ${rest.length} more`, text }].map(command)
  })
}

function hostAnnotations({ name, error, tasks }: HostReport): Annotation[] {
  const whole = error ? [{ kind: 'error' as const, title: `${name}: ${error.code}`, text: errorDetails(error) }] : []
  return [...whole, ...tasks.flatMap(task => taskAnnotation(name, task))]
}

function taskAnnotation(host: string, task: TaskReport): Annotation[] {
  const kind = kinds[task.status]
  if (kind === undefined) return []
  const text = `${headline(task)}\n${taskDetails(task)}`.trimEnd()
  return [{ kind, title: `${host}: ${task.label}`, text }]
}

const kinds: Partial<Record<TaskReport['status'], Annotation['kind']>> = {
  failed: 'error',
  blocked: 'error',
  interrupted: 'error',
  drift: 'warning',
  pending: 'warning',
  deferred: 'warning',
}

/** The escapes are those of GitHub's own toolkit: without them a host could give commands to the workflow. */
function command({ kind, title, text }: Annotation): string {
  return `::${kind} title=${data(title).replaceAll(':', '%3A').replaceAll(',', '%2C')}::${data(shortened(text, mostText))}`
}

const data = (text: string) => printable(text).replaceAll('%', '%25').replaceAll('\n', '%0A')

function sumOf({ hosts, summary, mode }: Report): string {
  const counts = Object.entries(summary.hosts).map(([status, count]) => `${count} ${status}`)
  const all = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`
  return `${all}: ${counts.join(', ')}${mode === 'dry-run' ? '. Nothing was changed.' : ''}`
}

/** GitHub refuses a summary of more than 1 MiB; much less is read. */
const mostRows = 200

/** The same as Markdown, for the page of the workflow's run: a row for each task that needs a look. */
export function githubSummary(report: Report): string {
  const rows = report.hosts.flatMap(host => [
    ...(host.error ? [row(host.name, '', host.status, `${host.error.code}: ${host.error.message}`)] : []),
    ...host.tasks
      .filter(({ status }) => kinds[status] !== undefined)
      .map(task => row(host.name, task.label, task.status, headline(task).replace(/^[a-z]+(: |$)/, ''))),
  ])
  const more = rows.length - mostRows
  const table = ['| host | task | status | |', '| --- | --- | --- | --- |', ...rows.slice(0, mostRows)]
  return [
    `### sak-reconcile ${cell(report.playbook ?? '')}`.trimEnd(),
    '',
    sumOf(report),
    '',
    ...(rows.length > 0 ? [...table, ''] : []),
    ...(more > 0 ? [`and ${more} more`, ''] : []),
  ].join('\n')
}

const row = (...cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`

/** Text that is nothing but text in a cell of Markdown. */
const cell = (text: string) =>
  shortened(printable(text).split('\n')[0] ?? '', 200)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_{}[\]()#+\-!|~@:]/g, character => `&#${character.charCodeAt(0)};`)
