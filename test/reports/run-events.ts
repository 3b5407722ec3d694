import type { HostReport, Report, ReportChange, ReportError, TaskReport } from '../../src/core/report.ts'
import { countBy } from '../../src/core/report.ts'
import { eventsOf } from '../../src/reports/replay.ts'
import type { Reporter } from '../../src/reports/reporter.ts'

/** A task, in sync unless more is said. */
export const task = (given: Partial<TaskReport> = {}): TaskReport => ({
  module: 'm',
  label: 'm',
  status: 'ok',
  impact: 'none',
  changes: [],
  steps: [],
  error: null,
  ...given,
})

/** A host with the status of its first task, unless more is said. */
export const host = (name: string, tasks: TaskReport[], given: Partial<HostReport> = {}): HostReport => {
  const status = tasks[0]?.status ?? 'ok'
  return { name, status, durationMs: 1200, roundTrips: 2, tasks, error: null, ...given }
}

export const error = (given: Partial<ReportError> = {}): ReportError => ({
  code: 'step-failed',
  message: 'run x: exit 9',
  host: 'web1',
  task: 'm',
  step: 'run x',
  said: 'no such luck',
  rollback: 'done',
  hint: 'look there',
  ...given,
})

/** A file that differs. */
export const saved: ReportChange = {
  key: 'saved',
  path: '/a',
  before: 'x\n',
  after: 'y\n',
  diff: '--- /a\n+++ /a\n@@ -1 +1 @@\n-x\n+y\n',
}

/** A task that differs. */
export const drift = (given: Partial<TaskReport> = {}): TaskReport =>
  task({
    status: 'drift',
    impact: 'reload',
    changes: [saved],
    steps: [{ kind: 'write', path: '/a', impact: 'none' }],
    ...given,
  })

/** The report of a run over the hosts. */
export const report = (hosts: HostReport[], given: Partial<Report> = {}): Report => ({
  schema: 'sak-reconcile/report@1',
  mode: 'dry-run',
  playbook: 'web',
  startedAt: '2026-11-23T10:00:00.000Z',
  durationMs: 3400,
  exitCode: 0,
  summary: {
    hosts: countBy(hosts.map(each => each.status)),
    tasks: countBy(hosts.flatMap(each => each.tasks.map(({ status }) => status))),
  },
  hosts,
  ...given,
})

/** What a reporter makes of a run. */
export function written(given: Report, reporter: (write: (text: string) => void) => Reporter): string {
  let all = ''
  const { onEvent, finish } = reporter(text => {
    all += text
  })
  for (const event of eventsOf(given)) onEvent(event)
  finish()
  return all
}
