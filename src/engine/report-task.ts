import { isSakError, SakError } from '../core/errors.ts'
import type { ReportError, TaskReport } from '../core/report.ts'
import { describeStep } from '../core/step.ts'
import type { TaskResult } from './apply.ts'
import { HostLost } from './batch.ts'
import { reportChanges } from './report-changes.ts'

/** A task's result as a report holds it. Of several errors the first is the report's; the others join its message. */
export function reportTask(host: string, result: TaskResult): TaskReport {
  const { task, status, impact, changes, steps, errors, step, rollback = 'none' } = result
  const [first, ...others] = errors
  const message = [first, ...others].map(error => error?.message).join('\n')
  return {
    module: task.module,
    label: task.label,
    status,
    impact,
    changes: changes.flatMap(reportChanges),
    steps: steps.map(each => ({ ...each })),
    error: first
      ? { ...reportError(host, first), message, task: task.label, step: step ? describeStep(step) : null, rollback }
      : null,
  }
}

/** An error as a report holds it. */
export function reportError(host: string, thrown: unknown): ReportError {
  const error = asSakError(thrown)
  const { code, message, said = null, hint = null } = error
  return { code, message, host, task: null, step: null, said, rollback: 'none', hint }
}

/** What was thrown as a SakError: what is none is a bug. */
export function asSakError(thrown: unknown): SakError {
  if (thrown instanceof HostLost) return asSakError(thrown.cause)
  if (isSakError(thrown)) return thrown
  return new SakError('module-bug', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
}
