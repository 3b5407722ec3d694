import { readdirSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { defineInventory } from '../../src/core/inventory.ts'
import type { HostReport, HostStatus } from '../../src/core/report.ts'
import { lastRun, rememberRun } from '../../src/loading/last-run.ts'
import { resolveLimit } from '../../src/loading/limit.ts'

const inventory = defineInventory({ hosts: { a: {}, b: {}, 'c.example': {} }, groups: { web: { hosts: ['a', 'b'] } } })

function project(test: Test, files: Record<string, string> = {}) {
  const cwd = test.testdir(files)
  const before = process.env.XDG_STATE_HOME
  process.env.XDG_STATE_HOME = join(cwd, 'state')
  test.teardown(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME
    else process.env.XDG_STATE_HOME = before
  })
  const resolve = (limit: string) => resolveLimit(limit, { cwd, playbook: '/p.ts', inventory })
  return { cwd, resolve }
}

const run = (statuses: Readonly<Record<string, HostStatus>>) => ({
  startedAt: '2026-11-23T10:00:00.000Z',
  hosts: Object.entries(statuses).map(
    ([name, status]): HostReport => ({ name, status, durationMs: 1, roundTrips: 1, tasks: [], error: null }),
  ),
})

t.test('@file is the patterns on its lines', async t => {
  const { resolve } = project(t, {
    hosts: '# those\na\r\n\n b , web:!b # and these\n',
    one: 'web\n',
    none: '# nothing\n',
  })
  t.same(await resolve('@hosts'), ['a', 'b', 'web', '!b'])
  t.same(await resolve('all,!@one,&@one'), ['all', '!web', '&web'])
  t.same(await resolve('a:web:!b'), ['a', 'web', '!b'], 'the rest stays as it is')
  await t.rejects(resolve('@none'), { code: 'usage', message: /@none: the file names no host/ }, 'never all')
  await t.rejects(resolve('all:!@none'), { code: 'usage' })
  await t.rejects(resolve('@gone'), { code: 'usage', message: /gone cannot be read: ENOENT/ })
  await t.rejects(resolve('all:&@hosts'), { code: 'usage', message: /only names of hosts/ })
})

t.test('failed is the hosts of the last run that were not ok or changed', async t => {
  const { resolve } = project(t)
  await t.rejects(resolve('failed'), { code: 'usage', message: /no earlier run of this playbook is known/ })
  await rememberRun('/other.ts', run({ b: 'failed' }))
  await t.rejects(resolve('failed'), { message: /no earlier run/ }, "another playbook's run")
  await rememberRun('/p.ts', run({ a: 'skipped', b: 'ok', 'c.example': 'unreachable', gone: 'failed' }))
  t.same(await resolve('failed'), ['a', 'c.example'], 'those that the inventory still has')
  t.same(await resolve('web:&failed'), ['web', '&~^(?:a|c\\.example)$'])
  t.same(await resolve('all:!failed'), ['all', '!a', '!c.example'])
  await rememberRun('/p.ts', run({ a: 'changed', b: 'ok' }))
  await t.rejects(resolve('failed'), { code: 'usage', message: /2026-11-23 10:00 UTC\) left every host in sync/ })
  await rememberRun('/p.ts', run({ gone: 'failed' }))
  await t.rejects(resolve('failed'), { code: 'usage', message: /the inventory has none/, hint: 'they were: gone' })
})

t.test('a run is kept wholly, for its user alone', async t => {
  const { cwd } = project(t)
  const statuses = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`h${i}`, 'ok' as const]))
  await Promise.all([5, 50, 500].map(n => rememberRun('/p.ts', run(statuses(n)))))
  const folder = join(cwd, 'state/sak-reconcile')
  const [name = '', ...others] = readdirSync(folder)
  t.same(others, [], 'nothing is left beside it')
  t.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.ok([5, 50, 500].includes(Object.keys((await lastRun('/p.ts'))?.hosts ?? {}).length))
  await writeFile(join(folder, name), '{"schema":')
  t.equal(await lastRun('/p.ts'), undefined, 'what is broken is no run')
})

t.test('without XDG_STATE_HOME, or with one that is relative, it lies in the home directory', async t => {
  const home = t.testdir({})
  const { HOME } = process.env
  process.env.HOME = home
  t.teardown(() => {
    process.env.HOME = HOME
  })
  await mkdir(join(home, '.local'))
  await rememberRun('/p.ts', run({ a: 'ok' }), { XDG_STATE_HOME: 'relative' })
  t.match(readdirSync(join(home, '.local/state/sak-reconcile')), [/^last-run-[0-9a-f]{16}\.json$/])
})
