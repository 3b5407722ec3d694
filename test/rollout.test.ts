import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { defineModule } from '../src/core/module.ts'
import { definePlaybook } from '../src/core/playbook.ts'
import type { Report, RunEvent } from '../src/core/report.ts'
import type { RolloutOptions } from '../src/core/rollout.ts'
import { type ReconcileOptions, reconcile } from '../src/run.ts'

/** Differs on every host, and fails where it is told to: nothing is ever written, so that hosts need no lock to share. */
const probe = defineModule({
  name: 'probe',
  description: 'Finds what is there, or fails.',
  params: z.strictObject({ path: z.string(), fails: z.boolean() }),
  impact: 'none',
  owns: ({ path }) => [path],
  check: async (host, { path, fails }) => {
    if (fails) throw new Error('no such luck')
    const saved = await host.file(path)
    return { current: { saved }, desired: { saved } }
  },
  apply: () => [],
})

/** The hosts a to f of this machine; those named fail. */
async function project(test: Test, ...failing: string[]) {
  const folder = test.testdir({ f: 'x' })
  const playbook = definePlaybook({
    name: 'probes',
    tasks: (_, { name }) => [probe({ path: join(folder, 'f'), fails: failing.includes(name) })],
  })
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const hosts = Object.fromEntries(names.map(name => [name, { connection: 'local' as const, address: '127.0.0.1' }]))
  const events: RunEvent[] = []
  const onEvent = (event: RunEvent) => void events.push(event)
  const options: ReconcileOptions = { playbook, inventory: { hosts }, lockWaitSeconds: 60, onEvent }
  const roll = (more: RolloutOptions & { dryRun?: boolean; signal?: AbortSignal }) => reconcile({ ...options, ...more })
  return { roll, events }
}

const statuses = (report: Report) => report.hosts.map(host => `${host.name} ${host.error?.code ?? host.status}`)
const started = (events: readonly RunEvent[]) =>
  events.flatMap(event => (event.type === 'host-start' ? event.host : [])).join('')

t.test('a failed batch stops the rollout, and the hosts that were not started are told', async t => {
  const { roll, events } = await project(t, 'b')
  const report = await roll({ serial: [1, 2, '50%'] })
  t.same(statuses(report), ['a ok', 'b failed', 'c ok', 'd not-started', 'e not-started', 'f not-started'])
  t.match(report, { exitCode: 4, summary: { hosts: { ok: 2, failed: 1, skipped: 3 } } })
  t.match(report.hosts[3], {
    status: 'skipped',
    tasks: [],
    error: { message: 'b failed, and at most 0 may', host: 'd' },
  })
  t.equal(started(events), 'abc')
  t.equal(events.filter(event => event.type === 'host').length, 6, 'each host is told once')
})

t.test('a batch begins when the one before it has ended', async t => {
  const { roll, events } = await project(t)
  const report = await roll({ serial: 2 })
  t.match(report, { exitCode: 0, summary: { hosts: { ok: 6 } } })
  let running = 0
  for (const { type } of events) {
    running += type === 'host-start' ? 1 : type === 'host' ? -1 : 0
    t.ok(running <= 2)
  }
})

t.test('some hosts may fail', async t => {
  const { roll } = await project(t, 'a', 'd', 'e')
  const two = await roll({ serial: 1, maxFail: 2 })
  t.same(statuses(two).slice(3), ['d failed', 'e failed', 'f not-started'])
  t.match(two.hosts[5]?.error?.message, 'a, d, e failed, and at most 2 may')
  t.match((await roll({ serial: 1, maxFail: '50%' })).summary.hosts, { failed: 3, ok: 3 })
})

t.test('within a batch too, no further host is started', async t => {
  const { roll } = await project(t, 'a', 'b', 'c', 'd')
  const names = statuses(await roll({ maxFail: 0 }))
  t.equal(names.length, 6)
  t.match((await roll({})).summary.hosts, { failed: 4, ok: 2 }, 'without a limit all are tried')
})

t.test('a dry run looks at all hosts', async t => {
  const { roll } = await project(t, 'a')
  t.match((await roll({ serial: 1, dryRun: true })).summary.hosts, { failed: 1, ok: 5 })
})

t.test('an interrupted run names the hosts that it did not come to', async t => {
  const { roll } = await project(t)
  const report = await roll({ signal: AbortSignal.abort() })
  t.match(report, { exitCode: 4, summary: { hosts: { skipped: 6 } } })
  t.match(report.hosts[0]?.error?.message, 'the run was interrupted')
})

t.test('a batch that is not well stops the rollout', async t => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(request.url === '/127.0.0.1/b' ? 503 : 200).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { roll, events } = await project(t)
  const health = { url: `http://{address}:${port}/{address}/{name}`, within: '1s' } as const
  const report = await roll({ serial: [1, 2], health })
  t.same(statuses(report), ['a ok', 'b unhealthy', 'c ok', 'd not-started', 'e not-started', 'f not-started'])
  t.match(report.hosts[1], { status: 'failed', tasks: [{ status: 'ok' }], error: { message: /answers 503/ } })
  t.match(report.hosts[3]?.error?.message, 'b is not healthy')
  t.equal(report.exitCode, 4)
  t.ok(asked.includes('/127.0.0.1/a') && asked.includes('/127.0.0.1/c'))
  t.equal(events.filter(event => event.type === 'host').length, 6, 'each host is told once')
})

t.test('a program here says whether a batch is well', async t => {
  const { roll } = await project(t, 'c')
  const folder = t.testdir({})
  const command = (line: string) => ({ command: ['sh', '-c', line], within: '1s' as const })
  const seen = join(folder, 'seen')
  const well = await roll({ serial: 2, maxFail: 6, health: command(`echo "$SAK_HOSTS" >> ${seen}`) })
  t.match(well.summary.hosts, { ok: 5, failed: 1 })
  const { readFileSync } = await import('node:fs')
  t.equal(readFileSync(seen, 'utf8'), 'a b\nd\ne f\n', 'a host that failed is not asked for')
  const bad = await roll({ serial: 2, health: command('echo it is down >&2; exit 3') })
  t.same(statuses(bad).slice(0, 3), ['a unhealthy', 'b unhealthy', 'c not-started'])
  t.match(bad.hosts[0]?.error?.message, 'sh: exit 3: it is down')
  const slow = await roll({ serial: 5, health: command('sleep 60') })
  t.match(slow.hosts[0]?.error?.message, /sh: did not end/)
})
