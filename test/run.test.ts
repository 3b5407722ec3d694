import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { defineModule } from '../src/core/module.ts'
import { definePlaybook } from '../src/core/playbook.ts'
import { Report, type RunEvent } from '../src/core/report.ts'
import { write } from '../src/core/step.ts'
import { reconcile } from '../src/run.ts'

const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({ path: z.string(), text: z.string() }),
  impact: 'none',
  owns: ({ path }) => [path],
  check: async (host, { path, text }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: { kind: 'file', path, content: text } as const },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})

const notes = definePlaybook({
  name: 'notes',
  hosts: 'web',
  params: z.strictObject({ folder: z.string(), text: z.string().default('x') }),
  tasks: ({ folder, text }) => [
    note({ path: join(folder, 'a'), text }, { label: 'first', tags: ['one'] }),
    note({ path: join(folder, 'b'), text }, { label: 'second' }),
  ],
})

const local = { connection: 'local' } as const
const inventory = {
  hosts: { w1: local, w2: { ...local, vars: { text: 'y' } }, db: local, lost: { address: '127.0.0.1', port: 1 } },
  groups: { web: { hosts: ['w1', 'w2'] }, gone: { hosts: ['lost'] } },
}

t.test('a dry run of a group: every host as its variables say, and nothing is written', async t => {
  const folder = t.testdir({ a: 'x', b: 'x' })
  const report = await reconcile({ playbook: notes({ folder }), inventory, dryRun: true })
  t.same(Report.parse(report), report, 'as the schema says, and nothing more')
  t.match(report, { mode: 'dry-run', exitCode: 2, summary: { hosts: { ok: 1, drift: 1 }, tasks: { ok: 2, drift: 2 } } })
  t.match(report.hosts, [
    { name: 'w1', status: 'ok' },
    { name: 'w2', status: 'drift', tasks: [{ changes: [{ before: 'x', after: 'y' }] }, {}] },
  ])
  // a journal of another test that applies on this machine costs a second; without one test/engine/counted.test.ts holds it to one
  t.ok((report.hosts[0]?.roundTrips ?? 9) <= 2)
  const forced = await reconcile({ playbook: notes, inventory, dryRun: true, vars: { folder, text: 'x' } })
  t.equal(forced.exitCode, 0, 'what the caller gives is stronger than what a host has')
})

t.test('a host that cannot be reached is in the report', async t => {
  const playbook = definePlaybook({ name: 'all', tasks: () => [note({ path: '/nowhere', text: 'x' })] })
  const connect = { retries: 0, sshConfigPath: 'none', hostKeyChecking: 'off' } as const
  const report = await reconcile({ playbook, inventory, dryRun: true, limit: 'lost:w1', connect })
  t.match(report, { exitCode: 6, summary: { hosts: { unreachable: 1, drift: 1 } } })
  t.match(
    report.hosts.find(host => host.name === 'lost'),
    { status: 'unreachable', tasks: [], error: { host: 'lost', task: null } },
  )
})

t.test('what happens is told in order', async t => {
  const folder = t.testdir({})
  const events: RunEvent[] = []
  const onEvent = (event: RunEvent) => void events.push(event)
  const report = await reconcile({ playbook: notes({ folder }), inventory, dryRun: true, limit: 'w1', onEvent })
  t.match(events, [
    { type: 'start', mode: 'dry-run', hosts: ['w1'] },
    { type: 'host-start', host: 'w1' },
    { type: 'host', report: { name: 'w1' } },
    { type: 'end', report },
  ])
})

t.test('some tasks, by label, tag or module', async t => {
  const folder = t.testdir({})
  const labels = async (options: { tags?: string[]; skipTags?: string[] }) => {
    const report = await reconcile({ playbook: notes({ folder }), inventory, dryRun: true, limit: 'w1', ...options })
    return report.hosts[0]?.tasks.map(task => task.label)
  }
  t.same(await labels({ tags: ['one'] }), ['first'])
  t.same(await labels({ tags: ['note'] }), ['first', 'second'])
  t.same(await labels({ tags: ['note'], skipTags: ['one'] }), ['second'])
  await t.rejects(labels({ tags: ['secnd'] }), { code: 'usage', hint: 'Did you mean second?' })
})

t.test('with nothing to do there is no question', async t => {
  const folder = t.testdir({ a: 'x', b: 'x' })
  const confirm = async () => t.fail('there is nothing to ask')
  const report = await reconcile({ playbook: notes({ folder }), inventory, limit: 'w1', confirm })
  t.match(report, { exitCode: 0, mode: 'dry-run' })
})

t.test('a plan that is declined is not applied', async t => {
  const folder = t.testdir({})
  const seen: Report[] = []
  const confirm = async (plan: Report) => seen.push(plan) < 0
  const run = reconcile({ playbook: notes({ folder }), inventory, limit: 'w1', confirm })
  await t.rejects(run, { code: 'declined' })
  t.match(seen, [{ mode: 'dry-run', exitCode: 2 }])
  t.match(await reconcile({ playbook: notes({ folder }), inventory, limit: 'w1', dryRun: true }), { exitCode: 2 })
})

t.test('mistakes of the caller throw before any host is touched', async t => {
  const touched = { onEvent: () => t.fail('nothing may begin') }
  const playbook = notes({ folder: '/nowhere' })
  const refused = async (options: object, expected: { code: string; message?: RegExp; hint?: RegExp }) => {
    // as plain JavaScript calls it: what is misspelt here would otherwise be taken for a wish to apply
    await t.rejects(async () => Reflect.apply(reconcile, undefined, [{ ...touched, ...options }]), expected)
  }
  await refused({ playbook, inventory, dryrun: true }, { code: 'usage', message: /"dryrun". Did you mean dryRun\?/ })
  await refused({ playbook: {}, dryRun: true }, { code: 'usage', message: /playbook: expected a playbook/ })
  await refused({ playbook, inventory, dryRun: 'yes' }, { code: 'usage', message: /dryRun: .*boolean/ })
  await refused({ playbook, inventory, forks: 0, dryRun: true }, { code: 'usage', message: /forks: / })
  await refused({ playbook, inventory, allow: 'all', dryRun: true }, { code: 'usage', message: /allow: / })
  await refused({ playbook }, { code: 'usage', message: /no inventory/, hint: /-i/ })
  await refused({ playbook, inventory, dryRun: true, limit: 'db' }, { code: 'usage', message: /no host.*"web".*"db"/ })
  await refused({ playbook: notes, inventory, dryRun: true }, { code: 'invalid-params', message: /folder/ })
})
