import t from 'tap'
import { countBy, exitCodeOf, type HostReport, HostStatus, hostStatus, taskStatuses } from '../../src/core/report.ts'

const task = (status: HostReport['tasks'][number]['status']): HostReport['tasks'][number] => ({
  module: 'm',
  label: 'm',
  status,
  impact: 'none',
  changes: [],
  steps: [],
  error: null,
})
const host = (...statuses: HostReport['tasks'][number]['status'][]): HostReport => {
  const tasks = statuses.map(task)
  return { name: 'h', status: hostStatus(tasks), durationMs: 0, roundTrips: 0, tasks, error: null }
}

t.test('a host has the status of the task that needs most attention', async t => {
  t.equal(hostStatus([]), 'ok')
  for (const [index, status] of taskStatuses.entries()) {
    t.equal(hostStatus(taskStatuses.slice(0, index + 1).map(each => ({ status: each }))), status)
  }
})

t.test('exit codes: 0 in sync, 2 drift, 4 trouble, 6 both', async t => {
  t.equal(exitCodeOf([]), 0)
  t.equal(exitCodeOf([host('ok', 'changed', 'skipped')]), 0)
  for (const status of ['drift', 'pending', 'deferred'] as const) t.equal(exitCodeOf([host('ok'), host(status)]), 2)
  for (const status of ['failed', 'blocked', 'interrupted'] as const) t.equal(exitCodeOf([host(status)]), 4, status)
  t.equal(exitCodeOf([host('drift', 'blocked')]), 6, 'on one host')
  t.equal(exitCodeOf([host('deferred'), host('failed', 'skipped')]), 6, 'on two hosts')
  t.equal(exitCodeOf([{ ...host(), status: 'unreachable' }, host('drift')]), 6)
  t.equal(exitCodeOf([{ ...host(), status: 'unreachable' }]), 4)
})

t.test('every status is one that a report may have', async t => {
  t.same(HostStatus.options, [...taskStatuses, 'unreachable'])
  t.same(countBy(['ok', 'drift', 'ok']), { ok: 2, drift: 1 })
})
