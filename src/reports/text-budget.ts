import type pc from 'picocolors'
import { type Budget, isOver } from '../core/budget.ts'
import type { HostReport } from '../core/report.ts'
import { printable } from '../core/terminal.ts'

interface View {
  readonly colors: ReturnType<typeof pc.createColors>
  /** The parts, also where it fits. */
  readonly verbose: boolean
  /** Nothing, where it fits. */
  readonly brief: boolean
}

const barWidth = 30

/** What of the host's memory is planned: a line where it fits, its parts where it does not. */
export function budgetLines({ budget, tasks }: HostReport, { colors, verbose, brief }: View): string[] {
  if (!budget || (brief && !isOver(budget))) return []
  const { ramMiB, plannedMiB } = budget
  const sum = `${plannedMiB} of ${ramMiB} MiB planned (${Math.round((plannedMiB / ramMiB) * 100)}%)`
  const line = `memory  ${isOver(budget) ? colors.red(`${sum}: over budget`) : sum}`
  if (!isOver(budget) && !verbose) return [`${line}  ${colors.dim(bar(plannedMiB, ramMiB).padEnd(barWidth, '░'))}`]
  const hint = tasks.find(task => task.error?.code === 'over-budget')?.error?.hint
  return [line, ...table(budget, colors), ...(hint ? [`${colors.cyan('hint')} ${printable(hint)}`] : [])]
}

function table({ ramMiB, plannedMiB, parts }: Budget, colors: View['colors']): string[] {
  const rows = [...parts, { task: 'the host has', MiB: ramMiB, what: '' }]
  const width = Math.max(...rows.map(({ task }) => printable(task).length))
  const most = Math.max(ramMiB, plannedMiB)
  return rows.map(({ task, MiB, what }) =>
    `  ${printable(task).padEnd(width)} ${String(MiB).padStart(7)}  ${bar(MiB, most).padEnd(barWidth)}  ${colors.dim(printable(what))}`.trimEnd(),
  )
}

const bar = (MiB: number, most: number) => '█'.repeat(Math.round((MiB / most) * barWidth))
