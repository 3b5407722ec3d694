import { isSakError, SakError } from '../core/errors.ts'
import type { ReportError, ReportStep, TaskReport } from '../core/report.ts'
import { describeStep, type Step } from '../core/step.ts'
import { HostLost } from './batch.ts'
import { reportChanges } from './report-changes.ts'
import type { TaskResult } from './task-result.ts'

/** A task's result as a report holds it. Of several errors the first is the report's; the others join its message. */
export function reportTask(host: string, result: TaskResult): TaskReport {
  const { task, status, impact, changes, steps, errors, step, when, rollback = 'none', together } = result
  const [first, ...others] = errors
  const message = [first, ...others].map(error => error?.message).join('\n')
  return {
    module: task.module,
    label: task.label,
    status,
    impact,
    ...(when !== undefined && { when }),
    changes: changes.flatMap(reportChanges),
    steps: steps.map(each => ({ ...reportStep(each), ...sharing(together?.shared.get(each)) })),
    ...(together && { together: [...together.labels] }),
    error: first
      ? { ...reportError(host, first), message, task: task.label, step: step ? describeStep(step) : null, rollback }
      : null,
  }
}

const sharing = (labels: readonly string[] | undefined) => (labels ? { sharedWith: [...labels] } : {})

/**
 * A step as a report or a saved plan shows it: what it does, and not what it is given to do it with. Contents stand in the diffs;
 * what goes to a program's stdin, its environment and its undoing may hold what was never meant to be read.
 */
function reportStep(step: Step): ReportStep {
  const { kind, impact } = step
  switch (step.kind) {
    case 'write':
    case 'remove':
    case 'remove-directory':
      return { kind, path: step.path, impact }
    case 'directory':
      return { kind, path: step.path, mode: step.mode, owner: step.owner, group: step.group, impact }
    case 'link':
      return { kind, path: step.path, target: step.target, impact }
    case 'service':
      return { kind, action: step.action, name: step.name, ...(step.user !== undefined && { user: step.user }), impact }
    case 'run': {
      const undo = typeof step.undo === 'string' ? { undo: step.undo } : {}
      return { kind, ...titled(step), argv: [...step.argv], impact, ...undo }
    }
    case 'waitFor':
      return { kind, ...titled(step), argv: [...step.argv], impact }
  }
}

const titled = ({ title }: { readonly title?: string }) => (title === undefined ? {} : { title })

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
