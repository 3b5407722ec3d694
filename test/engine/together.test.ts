import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { flattenTasks, together as inOneTransaction, type TaskList } from '../../src/core/task-list.ts'
import { type ApplyOptions, applyHost } from '../../src/engine/apply.ts'
import { planHost } from '../../src/engine/plan-host.ts'
import { reportTask } from '../../src/engine/report-task.ts'
import { plannedHost } from '../../src/engine/reviewed.ts'
import { copy, hostAtHand, note } from './notes.ts'

const options: ApplyOptions = { allow: 'data', runId: 'sak-test' }

const together = (list: TaskList) => flattenTasks([inOneTransaction(list)], () => [])

/** Two notes that go together; both log an activation, the same, which is safe to do again. */
function pair(folder: string, more: { first?: object; second?: object } = {}) {
  const path = (name: string) => join(folder, name)
  const step = ['sh', '-c', 'cat "$1" "$2" >>"$3" 2>/dev/null; true', 'activate', path('a'), path('b'), path('log')]
  const common = { step, undo: 'resumable' } as const
  return together([
    note({ path: path('a'), content: 'A', ...common, ...more.first }, { label: 'first' }),
    [note({ path: path('b'), content: 'B', ...common, ...more.second }, { label: 'second' })],
  ])
}

t.test('tasks that go together are one transaction, with one activation', async t => {
  const folder = t.testdir({ a: 'old', b: 'old' })
  const tasks = pair(folder)
  const planned = (await planHost(hostAtHand(), tasks, options)).results.map(result => reportTask('web1', result))
  t.match(planned, [
    {
      status: 'drift',
      together: ['first', 'second'],
      steps: [{ kind: 'write' }, { sharedWith: ['second'], undo: 'resumable' }],
    },
    { status: 'drift', together: ['first', 'second'], steps: [{ kind: 'write' }, { sharedWith: ['first'] }] },
  ])
  const host = hostAtHand()
  const { results } = await applyHost(host, tasks, options)
  t.match(results, [{ status: 'changed' }, { status: 'changed' }])
  t.equal(await readFile(join(folder, 'log'), 'utf8'), 'AB', 'once, when both files were there')
  t.equal(host.trips(), 3, 'check, one script, verification')
  const applied = results.map(result => reportTask('web1', result))
  t.same(
    applied.map(({ steps }) => steps),
    planned.map(({ steps }) => steps),
    'as the dry run said',
  )
})

t.test('a failure undoes all, and names the task whose step failed', async t => {
  const folder = t.testdir({ a: 'old' })
  const fails = { step: ['false'], undo: 'none' }
  const last = note({ path: join(folder, 'c'), content: 'C' }, { label: 'last' })
  const { results } = await applyHost(hostAtHand(), [...pair(folder, { second: fails }), last], options)
  t.match(results, [
    { status: 'failed', rollback: 'done', errors: [{ code: 'together', message: /undone together with second/ }] },
    { status: 'failed', rollback: 'done', errors: [{ code: 'step-failed' }], step: { argv: ['false'] } },
    { status: 'skipped' },
  ])
  t.equal(await readFile(join(folder, 'a'), 'utf8'), 'old')
  t.notOk(existsSync(join(folder, 'b')))
  const shared = { step: ['false'], undo: 'resumable' }
  const both = await applyHost(hostAtHand(), pair(folder, { first: shared, second: shared }), options)
  t.match(
    both.results,
    [{ errors: [{ code: 'step-failed' }] }, { errors: [{ code: 'step-failed' }] }],
    "a shared step is both's",
  )
})

t.test('with keepGoing of all of them later tasks go on', async t => {
  const folder = t.testdir({})
  const tasks = pair(folder, { second: { step: ['false'], undo: 'none' } })
  const last = note({ path: join(folder, 'c'), content: 'C' }, { label: 'last' })
  const going = tasks.map(task => ({ ...task, keepGoing: true }))
  t.match((await applyHost(hostAtHand(), [...going, last], options)).results[2], { status: 'changed' })
})

t.test('what hinders one hinders all', async t => {
  const folder = t.testdir({ a: 'old' })
  const apply = async (more: object, allow: ApplyOptions['allow'] = 'data') =>
    (await applyHost(hostAtHand(), pair(folder, more), { ...options, allow })).results
  t.match(await apply({ second: { blocked: true } }), [
    { status: 'blocked', errors: [{ code: 'together', message: /second, which is blocked/ }] },
    { status: 'blocked', errors: [{ code: 'override' }] },
  ])
  t.match(await apply({ second: { impact: 'restart', step: ['true'] } }, 'reload'), [
    { status: 'pending' },
    { status: 'pending' },
  ])
  t.equal(await readFile(join(folder, 'a'), 'utf8'), 'old')
  t.match(
    await apply({ first: { content: 'old', step: ['true'] } }),
    [{ status: 'ok' }, { status: 'changed' }],
    'what is in sync stays',
  )
})

t.test('a task that needs to look after another cannot go together with it, but with what comes later', async t => {
  const folder = t.testdir({ a: 'old' })
  const [a, b, c] = ['a', 'b', 'c'].map(name => join(folder, name))
  const first = note({ path: a ?? '', content: 'new' }, { label: 'first' })
  const dependent = copy({ from: a ?? '', to: b ?? '', byCommand: true })
  const other = note({ path: c ?? '', content: 'C' }, { label: 'other' })
  const wrong = await planHost(hostAtHand(), together([first, dependent]), options)
  t.match(wrong.results, [
    { status: 'blocked' },
    { status: 'blocked', errors: [{ code: 'together', message: /known only once/ }] },
  ])
  const tasks = [first, ...together([dependent, other])]
  const right = await planHost(hostAtHand(), tasks, options)
  t.match(right.results, [
    { status: 'drift' },
    { status: 'deferred', together: { labels: ['copy', 'other'] } },
    { status: 'drift' },
  ])
  const { results } = await applyHost(hostAtHand(), tasks, options)
  t.match(results, [{ status: 'changed' }, { status: 'changed' }, { status: 'changed' }])
  t.equal(await readFile(b ?? '', 'utf8'), 'new')
})

t.test('later tasks are planned on what goes together before them, unless that is hindered', async t => {
  const folder = t.testdir({ a: 'old', b: '' })
  const later = copy({ from: join(folder, 'a'), to: join(folder, 'c') })
  const contents = async (more = {}) =>
    (await planHost(hostAtHand(), [...pair(folder, more), later], options)).results[2]?.steps
  t.match(await contents(), [{ content: 'A' }])
  t.match(await contents({ second: { blocked: true } }), [{ content: 'old' }])
})

t.test('a reviewed plan knows what goes together, and of which version a module is', async t => {
  const folder = t.testdir({ a: 'old' })
  const tasks = pair(folder)
  const review = async () => ({
    key: 'key',
    host: plannedHost('web1', 'key', await planHost(hostAtHand(), tasks, options)),
  })
  const reviewed = await review()
  t.match(reviewed.host.tasks[0], { together: ['first', 'second'] })
  const apart = tasks.map(({ transaction: _, ...task }) => task)
  await t.rejects(applyHost(hostAtHand(), apart, { ...options, reviewed }), { code: 'stale-plan' })
  const newer = tasks.map(task => ({ ...task, moduleVersion: '2.0.0' }))
  await t.rejects(applyHost(hostAtHand(), newer, { ...options, reviewed }), {
    code: 'stale-plan',
    said: /first: the module note was version unknown, and is 2\.0\.0/,
  })
  t.match((await applyHost(hostAtHand(), tasks, { ...options, reviewed })).results, [
    { status: 'changed' },
    { status: 'changed' },
  ])
})
