import pc from 'picocolors'
import type { HostStatus, ReportError, TaskReport } from '../core/report.ts'
import { printable, shortened } from '../core/terminal.ts'
import { changeLines, errorLines, firstLines, stepLines } from './text-change.ts'

/** Most lines that are shown of a task where a report is kept by others: a CI system, a mail. */
const mostLines = 200
/** Most characters of a line. */
const mostColumns = 500

const colors = pc.createColors(false)

interface Headed extends Pick<TaskReport, 'error' | 'changes'> {
  readonly status: HostStatus
}

/** In one line what is wrong with a task, or with a host. */
export function headline({ status, error, changes }: Headed): string {
  if (error) return cut(`${status}: ${error.code}: ${firstLine(error.message)}`)
  if (status === 'deferred') return 'deferred: known once the tasks before it are applied'
  const where = [...new Set(changes.map(({ key, path }) => printable(path === undefined ? key : `${key} ${path}`)))]
  return cut(where.length === 0 ? status : `${status}: ${where.join(', ')}`)
}

/** All that is known of a task as plain text: what went wrong, what differs, what would be done about it. Bounded. */
export function taskDetails({ error, changes, steps, status }: TaskReport): string {
  return bounded([
    ...(error ? errorLines(error, colors) : []),
    ...changes.flatMap(change => changeLines(change, colors)),
    ...(status === 'failed' ? [] : stepLines(steps, 'dry-run', colors)),
  ])
}

/** An error as plain text, bounded. */
export const errorDetails = (error: ReportError): string => bounded(errorLines(error, colors))

function bounded(lines: readonly string[]): string {
  return firstLines(lines, mostLines).map(cut).join('\n')
}

const cut = (line: string) => shortened(line, mostColumns)

const firstLine = (text: string) => printable(text).split('\n')[0] ?? ''
