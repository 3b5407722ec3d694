import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Connection } from '../../src/core/connection.ts'
import { SakError } from '../../src/core/errors.ts'
import type { Task } from '../../src/core/task.ts'
import { type ApplyOptions, applyHost as applyWhole } from '../../src/engine/apply.ts'
import { planHost as planWhole } from '../../src/engine/plan-host.ts'
import { plannedHost } from '../../src/engine/reviewed.ts'
import { copy, hostAtHand, note } from './notes.ts'
import { shellConnection } from './shell.ts'

const planHost = async (...args: Parameters<typeof planWhole>) => (await planWhole(...args)).results
const applyHost = async (...args: Parameters<typeof applyWhole>) => (await applyWhole(...args)).results

const options: ApplyOptions = { allow: 'data', runId: 'sak-test' }
const statuses = async (results: ReturnType<typeof applyHost>) => (await results).map(result => result.status)

t.test('a plan says what apply does, also for what depends on it', async t => {
  const folder = t.testdir({ a: 'old' })
  const [a, b, c] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')]
  const tasks = [
    note({ path: a, content: 'new' }),
    copy({ from: a, to: b }),
    copy({ from: b, to: c }, { label: 'copy again' }),
  ]
  const planned = await planHost(hostAtHand(), tasks, options)
  t.same(
    planned.map(result => [result.status, result.steps.map(step => 'content' in step && step.content)]),
    [
      ['drift', ['new']],
      ['drift', ['new']],
      ['drift', ['new']],
    ],
    'the later tasks see what the earlier would write',
  )
  const host = hostAtHand()
  const applied = await applyHost(host, tasks, options)
  t.same(
    applied.map(result => [result.status, result.steps]),
    planned.map(result => ['changed', result.steps]),
  )
  t.equal(await readFile(c, 'utf8'), 'new')
  t.equal(host.trips(), 1 + 3 + 1, 'one to check, one a task, one to verify')
  t.same(await statuses(applyHost(hostAtHand(), tasks, options)), ['ok', 'ok', 'ok'], 'twice is the same as once')
})

t.test('what only an applied task can tell is deferred, and then applied', async t => {
  const folder = t.testdir({ a: 'old' })
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  const tasks = [note({ path: a, content: 'new' }), copy({ from: a, to: b, byCommand: true })]
  const planned = await planHost(hostAtHand(), tasks, options)
  t.match(planned[1], { status: 'deferred', impact: 'restart', steps: [] })
  t.same(await statuses(applyHost(hostAtHand(), tasks, options)), ['changed', 'changed'])
  t.equal(await readFile(b, 'utf8'), 'new')
})

t.test('after a program of which nobody knows what it leaves, later tasks are looked at again', async t => {
  const folder = t.testdir({ a: 'x' })
  const [a, b, flag] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'flag')]
  const tasks = [
    note({ path: flag, content: 'x', step: ['sh', '-c', 'echo y >"$1"', 'sh', a], leaves: '/nowhere' }),
    note({ path: a, content: 'x' }, { label: 'a' }),
    note({ path: b, content: 'x', blocked: true }, { label: 'b' }),
  ]
  const plan = await planWhole(hostAtHand(), tasks, options)
  t.same(
    plan.results.map(({ status }) => status),
    ['drift', 'ok', 'blocked'],
  )
  const reviewed = { key: 'k', host: plannedHost('web1', 'k', plan) }
  t.match(await applyHost(hostAtHand(), tasks, { ...options, reviewed }), [
    { status: 'changed' },
    {
      status: 'failed',
      errors: [{ code: 'stale-plan', message: /what a would do/, said: `in the plan: no step\nnow: write ${a}` }],
    },
    { status: 'skipped' },
  ])
  t.equal(await readFile(a, 'utf8'), 'y\n', 'what nobody has seen is not done')
  await writeFile(a, 'x')
  await rm(flag)
  t.same(await statuses(applyHost(hostAtHand(), tasks, options)), ['changed', 'changed', 'blocked'])
})

t.test('what is not allowed is pending, and later tasks do not see it', async t => {
  const folder = t.testdir({ a: 'old' })
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  const tasks = [note({ path: a, content: 'new', impact: 'restart', step: ['true'] }), copy({ from: a, to: b })]
  const results = await applyHost(hostAtHand(), tasks, { ...options, allow: 'reload' })
  t.same(
    results.map(result => result.status),
    ['pending', 'changed'],
  )
  t.same([await readFile(a, 'utf8'), await readFile(b, 'utf8')], ['old', 'old'])
})

t.test('a failure skips the rest of the host, a blocked task does not', async t => {
  const folder = t.testdir({})
  const path = (name: string) => join(folder, name)
  const failing = (extra = {}) =>
    note({ path: path('f'), content: 'x', step: ['false'] }, { label: 'failing', ...extra })
  const last = note({ path: path('l'), content: 'x' }, { label: 'last' })
  const barred = note({ path: path('b'), content: 'x', blocked: true }, { label: 'barred' })
  const results = await applyHost(hostAtHand(), [barred, failing(), last], options)
  t.same(
    results.map(result => result.status),
    ['blocked', 'failed', 'skipped'],
  )
  t.match(results[1], { rollback: 'done', errors: [{ code: 'step-failed' }], step: { kind: 'run' } })
  t.match(results[0], { changes: [{ key: 'saved' }], steps: [], errors: [{ code: 'override', hint: 'ask them' }] })
  t.same(await statuses(applyHost(hostAtHand(), [failing({ keepGoing: true }), last], options)), ['failed', 'changed'])
})

t.test('what is not in sync after its steps did not converge', async t => {
  const folder = t.testdir({})
  const path = join(folder, 'a')
  const results = await applyHost(
    hostAtHand(),
    [note({ path, content: 'x', step: ['sh', '-c', 'echo changed back >"$1"', 'sh', path] })],
    options,
  )
  t.match(results[0], { status: 'failed', errors: [{ code: 'did-not-converge' }], changes: [{ key: 'saved' }] })
})

t.test('a task that another one disturbs is not in sync', async t => {
  const folder = t.testdir({ a: 'x' })
  const path = join(folder, 'a')
  const disturbing = note(
    { path: join(folder, 'b'), content: 'x', step: ['sh', '-c', 'echo disturbed >"$1"', 'sh', path] },
    { label: 'disturbing' },
  )
  await applyHost(hostAtHand(), [note({ path, content: 'x' })], options)
  const results = await applyHost(hostAtHand(), [note({ path, content: 'x' }), disturbing], options)
  t.match(results, [{ status: 'failed', errors: [{ message: /was in sync before/ }] }, { status: 'changed' }])
})

t.test('a reviewed plan is what is applied, or nothing is', async t => {
  const folder = t.testdir({ a: 'old' })
  const path = join(folder, 'a')
  const tasks = [copy({ from: path, to: join(folder, 'b') })]
  const review = async () => ({
    key: 'key',
    host: plannedHost('web1', 'key', await planWhole(hostAtHand(), tasks, options)),
  })
  const reviewed = await review()
  await writeFile(path, 'changed since')
  await t.rejects(applyHost(hostAtHand(), tasks, { ...options, reviewed }), {
    code: 'stale-plan',
    said: `copy: saved ${join(folder, 'b')}: wanted was "old", is "changed since", in line 1`,
  })
  const again = await review()
  t.same(again, await review(), 'what has not changed is planned the same')
  const elsewhere = { ...again, host: { ...again.host, machineId: 'another' } }
  await t.rejects(applyHost(hostAtHand(), tasks, { ...options, reviewed: elsewhere }), { message: /another machine/ })
  t.same(await statuses(applyHost(hostAtHand(), tasks, { ...options, reviewed: again })), ['changed'])
})

t.test('a module with a bug is named, and other tasks are judged', async t => {
  const folder = t.testdir({})
  const buggy: Task = { ...note({ path: '/x', content: '' }), assess: () => Promise.reject(new TypeError('oops')) }
  const results = await planHost(hostAtHand(), [buggy, note({ path: join(folder, 'a'), content: 'x' })], options)
  t.match(results, [{ status: 'failed', errors: [{ code: 'module-bug', message: /note.*oops/ }] }, { status: 'drift' }])
})

t.test('a host that is lost on the way is never in sync', async t => {
  const folder = t.testdir({})
  const tasks = [
    note({ path: join(folder, 'a'), content: 'x' }),
    note({ path: join(folder, 'b'), content: 'x' }, { label: 'b' }),
  ]
  const lost = () => Promise.reject(new SakError('connection-lost', 'the connection was lost'))
  const losing = (after: number): Connection => {
    const whole = shellConnection()
    let left = after
    return { ...whole, run: (script, opts) => (left-- > 0 ? whole.run(script, opts) : lost()) }
  }
  await t.rejects(planHost(hostAtHand(losing(0)), tasks, options), 'while it is read')
  const whileApplied = await applyHost(hostAtHand(losing(1)), tasks, options)
  t.match(whileApplied, [
    { status: 'failed', rollback: 'failed', errors: [{ code: 'connection-lost' }] },
    { status: 'skipped' },
  ])
  const whileVerified = await applyHost(hostAtHand(losing(3)), tasks, options)
  t.match(whileVerified, [
    { status: 'failed', errors: [{ code: 'connection-lost' }] },
    { status: 'failed', errors: [{ code: 'connection-lost' }] },
  ])
})

t.test('an aborted run starts no further task', async t => {
  const folder = t.testdir({})
  const tasks = ['a', 'b'].map(label => note({ path: join(folder, label), content: 'x' }, { label }))
  const controller = new AbortController()
  const results = await applyHost(hostAtHand(), tasks, {
    ...options,
    signal: controller.signal,
    onTask: () => controller.abort(),
  })
  t.same(
    results.map(result => result.status),
    ['changed', 'skipped'],
  )
})
