import t from 'tap'
import { z } from 'zod'
import { SakError } from '../../src/core/errors.ts'
import { file } from '../../src/core/file.ts'
import { defineModule } from '../../src/core/module.ts'
import { TaskReport } from '../../src/core/report.ts'
import { remove, service } from '../../src/core/step.ts'
import { HostLost } from '../../src/engine/batch.ts'
import { asSakError, reportError, reportTask } from '../../src/engine/report-task.ts'
import type { TaskResult } from '../../src/engine/task-result.ts'

const task = defineModule({
  name: 'note',
  description: 'x',
  params: z.strictObject({}),
  impact: 'none',
  owns: () => [],
  check: async () => ({ current: {}, desired: {} }),
  apply: () => [],
})({}, { label: 'mine' })

const result = (given: Partial<TaskResult> = {}): TaskResult => ({
  task,
  status: 'drift',
  impact: 'reload',
  changes: [{ key: 'saved', before: file('/a', 'x\n'), after: file('/a', 'y\n') }],
  steps: [remove('/a'), service('nginx', 'reload')],
  errors: [],
  ...given,
})

t.test('a result is reported as the schema says', async t => {
  const report = reportTask('web1', result())
  t.same(TaskReport.parse(report), report)
  t.match(report, { module: 'note', label: 'mine', status: 'drift', impact: 'reload', error: null })
  t.match(report.changes, [{ key: 'saved', path: '/a', diff: /-x\n\+y/ }])
  t.match(report.steps, [
    { kind: 'remove', path: '/a' },
    { kind: 'service', action: 'reload', impact: 'reload' },
  ])
})

t.test('of several errors the first is told with its hint, the others join its message', async t => {
  const errors = [new SakError('override', 'one', { hint: 'do', said: 'said' }), new SakError('refused', 'two')]
  const { error } = reportTask('web1', result({ status: 'failed', errors, step: remove('/a'), rollback: 'done' }))
  t.same(error, {
    code: 'override',
    message: 'one\ntwo',
    host: 'web1',
    task: 'mine',
    step: 'remove /a',
    said: 'said',
    rollback: 'done',
    hint: 'do',
  })
})

t.test('what was thrown is what is told: of a lost host why, of anything else that it is a bug', async t => {
  const lost = new SakError('connection-lost', 'the connection was lost')
  t.equal(asSakError(new HostLost(lost)), lost)
  const bug = new TypeError('oops')
  t.match(asSakError(bug), { code: 'module-bug', message: 'oops', cause: bug })
  t.match(asSakError('text'), { code: 'module-bug', message: 'text' })
  t.match(reportError('web1', lost), {
    code: 'connection-lost',
    host: 'web1',
    task: null,
    rollback: 'none',
    hint: null,
  })
})
