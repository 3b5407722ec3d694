import t from 'tap'
import type { HostReport, Report, ReportStep, TaskReport } from '../../src/core/report.ts'
import { greatestImpact } from '../../src/core/step.ts'
import { applyQuestion } from '../../src/reports/question.ts'

const task = (label: string, steps: ReportStep[], more: Partial<TaskReport> = {}): TaskReport => {
  const impact = greatestImpact(steps)
  return { module: 'm', label, status: 'drift', impact, changes: [], steps, error: null, ...more }
}
const host = (name: string, tasks: TaskReport[], status: HostReport['status'] = 'drift'): HostReport => ({
  name,
  status,
  durationMs: 1,
  roundTrips: 1,
  tasks,
  error: null,
})
const plan = (...hosts: HostReport[]): Report => ({
  schema: 'sak-reconcile/report@1',
  mode: 'dry-run',
  startedAt: '2026-11-23T10:00:00.000Z',
  durationMs: 1,
  exitCode: 2,
  summary: { hosts: {}, tasks: {} },
  hosts,
})

const write: ReportStep = { kind: 'write', path: '/a', impact: 'none' }
const restart: ReportStep = { kind: 'service', name: 'postgresql@15-main', action: 'restart', impact: 'restart' }
const reload: ReportStep = { kind: 'service', name: 'nginx', action: 'reload', impact: 'reload' }
const pm2: ReportStep = { kind: 'run', argv: ['/usr/bin/pm2', 'restart', 'shop'], impact: 'restart' }

t.test('totals, and the riskiest impact in words', async t => {
  const db = [task('pgconf', [write, restart]), task('nginxconf', [reload])]
  t.equal(
    applyQuestion(plan(host('a', db), host('b', db), host('c', [...db, task('notes', [write])]), host('d', [], 'ok'))),
    'Apply 7 tasks on 3 hosts? Riskiest: restart of postgresql@15-main on 3 hosts.',
  )
  t.equal(
    applyQuestion(plan(host('a', [task('apps', [pm2])]), host('b', [task('apps', [pm2]), task('db', [restart])]))),
    'Apply 3 tasks on 2 hosts? Riskiest: restart by "pm2 restart shop" on 2 hosts, restart of postgresql@15-main on 1 host.',
  )
  t.equal(
    applyQuestion(plan(host('a', [task('notes', [write])]))),
    'Apply 1 task on 1 host? Nothing is restarted or reloaded.',
  )
})

t.test('each kind of risk', async t => {
  const riskOf = (step: ReportStep) => applyQuestion(plan(host('a', [task('x', [step])]))).replace(/^.*Riskiest: /, '')
  t.equal(riskOf(reload), 'reload of nginx on 1 host.')
  t.equal(riskOf({ kind: 'run', argv: ['systemctl', 'restart', 'x'], impact: 'restart' }), 'restart of x on 1 host.')
  t.equal(
    riskOf({ kind: 'run', argv: ['x'], title: 'stop the app', impact: 'restart' }),
    'restart by "stop the app" on 1 host.',
  )
  t.equal(riskOf({ kind: 'run', argv: ['mkswap'], impact: 'data' }), 'change to data, memory or disk by x on 1 host.')
  t.notMatch(riskOf({ kind: 'run', argv: ['x', '\u001b[2J'.repeat(9)], impact: 'restart' }), '\u001b')
  t.ok(riskOf({ kind: 'run', argv: ['x'.repeat(999)], impact: 'restart' }).length < 100)
})

t.test('what is not known yet, what is not allowed, what was left unfinished', async t => {
  const deferred = task('pgconf', [], { status: 'deferred', impact: 'restart' })
  const pending = task('db', [restart], { status: 'pending' })
  t.equal(
    applyQuestion(plan(host('a', [task('conf', [reload]), deferred, pending]))),
    'Apply 2 tasks on 1 host? Riskiest: perhaps restart by pgconf (known later) on 1 host.',
  )
  t.match(
    applyQuestion(plan(host('a', [task('conf', [reload])]), host('b', [], 'interrupted'))),
    /nginx on 1 host\. First undo what an earlier run left on 1 host\.$/,
  )
})

t.test('only the first of many', async t => {
  const many = ['a', 'b', 'c', 'd', 'e'].map(name => task(name, [{ ...restart, name }]))
  t.match(applyQuestion(plan(host('h', many))), /restart of c on 1 host, and 2 more\.$/)
})
