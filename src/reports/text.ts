import pc from 'picocolors'
import type { HostReport, HostStatus, Report, ReportChange, ReportError, RunEvent, TaskReport } from '../core/report.ts'
import { isNotStarted } from '../core/rollout.ts'
import { printable } from '../core/terminal.ts'
import type { Reporter } from './reporter.ts'
import { adviceLines } from './text-advice.ts'
import { budgetLines } from './text-budget.ts'
import { changeLines, errorLines, firstLines, indent, stepLines } from './text-change.ts'
import { summaryLines } from './text-summary.ts'

export interface TextOptions {
  readonly color: boolean
  /** Only what needs attention; nothing at all where all is in sync, so that cron sends no mail. */
  readonly quiet?: boolean
  /** Steps and errors in full. */
  readonly verbose?: boolean
  /** Takes the text, whole lines at a time. */
  write(text: string): void
}

const marks = {
  ok: '✓',
  skipped: '-',
  changed: '✓',
  drift: '~',
  deferred: '?',
  pending: '…',
  interrupted: '!',
  blocked: '!',
  failed: '✗',
  unreachable: '✗',
} as const satisfies Record<HostStatus, string>

/** The report that a person reads: hosts as they finish, what differs in each, a summary. */
export function textReport({ color, quiet = false, verbose = false, write }: TextOptions): Reporter {
  const colors = pc.createColors(color)
  let planShown = false
  let brief = false
  let mode: Report['mode'] = 'dry-run'
  const onEvent = (event: RunEvent) => {
    if (event.type === 'start') {
      planShown = mode === 'dry-run' && event.mode === 'apply' && planShown
      mode = event.mode
      brief = !verbose && event.hosts.length > manyHosts
    }
    if (event.type === 'host' && !isNotStarted(event.report)) {
      const lines = hostLines(event.report, { colors, quiet, verbose, mode, planShown, brief })
      if (lines.length > 0) write(`${lines.join('\n')}\n${brief && lines.length === 1 ? '' : '\n'}`)
      if (mode === 'dry-run') planShown = true
    }
    if (event.type === 'end') {
      const advice = quiet || (mode === 'apply' && planShown) ? [] : adviceLines(event.report, { colors, verbose })
      if (advice.length > 0) write(`${advice.join('\n')}\n\n`)
      if (!quiet || !isInSync(event.report)) write(`${summaryLines(event.report, colors).join('\n')}\n`)
    }
  }
  return { onEvent, finish: () => {} }
}

const isInSync = ({ hosts }: Report) => hosts.every(({ status }) => status === 'ok')

type Colors = ReturnType<typeof pc.createColors>

/** Of a change, unless all is asked for: more scrolls the rest of the report away. */
const most = { lines: 200, columns: 500 } as const
/** With more hosts than these, tasks in sync are not named, and a host in sync takes a line. */
const manyHosts = 20

interface View {
  readonly colors: Colors
  readonly quiet: boolean
  readonly verbose: boolean
  /** Of what is in sync only how much it is. */
  readonly brief: boolean
  readonly mode: Report['mode']
  /** The plan stood on the screen before: what was changed as planned is not shown twice. */
  readonly planShown: boolean
}

function paint(colors: Colors, status: HostStatus): (text: string) => string {
  switch (status) {
    case 'ok':
    case 'changed':
      return colors.green
    case 'skipped':
      return colors.dim
    case 'drift':
    case 'deferred':
    case 'pending':
      return colors.yellow
    default:
      return colors.red
  }
}

function hostLines(host: HostReport, view: View): string[] {
  const { colors, quiet, verbose, brief, planShown } = view
  const tasks = host.tasks.filter(task => !(quiet || brief) || (task.status !== 'ok' && task.status !== 'skipped'))
  if (quiet && tasks.length === 0 && !host.error) return []
  const trips = `${host.roundTrips} round trip${host.roundTrips === 1 ? '' : 's'}, ${(host.durationMs / 1000).toFixed(1)} s`
  const inSync = host.tasks.filter(({ status }) => status === 'ok').length
  const rest = brief && inSync > 0 ? `, ${inSync} task${inSync === 1 ? '' : 's'} in sync` : ''
  const head = `${colors.bold(printable(host.name))}  ${paint(colors, host.status)(host.status)}  ${colors.dim(trips + rest)}`
  const width = Math.max(...tasks.map(task => task.label.length), 0)
  const error = host.error ? indent(errorLines(host.error, colors)) : []
  const budget = budgetLines(host, { colors, verbose, brief: quiet || brief || planShown })
  return [
    head,
    ...error,
    ...tasks.flatMap(task => taskLines(task, width, view)),
    ...rootHint(host, colors),
    ...indent(budget),
  ]
}

function taskLines(task: TaskReport, width: number, view: View): string[] {
  const { colors, verbose, mode, planShown } = view
  const { status } = task
  const word = paint(colors, status)(`${marks[status]} ${status.padEnd(8)}`)
  const impact = task.impact === 'none' || status === 'ok' ? '' : colors.dim(`(${task.impact})`)
  const reason =
    task.error && isSaidOnce(task.error) ? colors.red(`${task.error.code}: ${printable(task.error.message)}`) : ''
  const later = status === 'deferred' ? 'known once the tasks before it are applied' : ''
  const unwanted = task.when === undefined ? '' : colors.dim(`when ${printable(task.when)}`)
  const parts = [impact, goesWith(task, colors), later, unwanted, reason].filter(part => part !== '').join(' ')
  const head = `  ${word} ${printable(task.label).padEnd(width)}  ${parts}`.trimEnd()
  const known = planShown && status === 'changed'
  const changes = known ? [] : task.changes.flatMap(change => shownLines(change, view))
  const toDo = mode === 'dry-run' && (status === 'drift' || status === 'pending')
  const steps = toDo || verbose ? stepLines(task.steps, mode, colors) : []
  const error = task.error && !isSaidOnce(task.error) ? errorLines(task.error, colors) : []
  return [head, ...indent([...error, ...changes, ...steps], 6)]
}

/** A change as far as a terminal should show it. */
function shownLines(change: ReportChange, { colors, verbose }: View): readonly string[] {
  if (verbose) return changeLines(change, colors)
  const where = ': --verbose shows them, and --report json:FILE has all of it'
  return firstLines(changeLines(change, colors, most.columns), most.lines, where)
}

/** In one transaction with others. */
function goesWith({ together, label }: TaskReport, colors: Colors): string {
  const others = together?.filter(other => other !== label) ?? []
  if (others.length === 0) return ''
  return colors.dim(`together with ${others.map(printable).join(', ')}`)
}

const isNeedsRoot = (error: ReportError) => error.code === 'needs-root'
/** What to do about these stands once below the host. */
const isSaidOnce = (error: ReportError) => isNeedsRoot(error) || error.code === 'over-budget'

/** Said once for a host, however many tasks could not look. */
function rootHint(host: HostReport, colors: Colors): string[] {
  const blind = host.tasks.filter(task => task.error && isNeedsRoot(task.error)).length
  if (blind === 0) return []
  const tasks = blind === 1 ? '1 task needs' : `${blind} tasks need`
  return [`  ${colors.cyan('hint')} ${tasks} root to see everything: run as root, or with --become`]
}
