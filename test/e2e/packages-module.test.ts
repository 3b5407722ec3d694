/** The module `packages` on a real host with an apt repository of its own, whose packages are made to do what is tested. */
import { readFile } from 'node:fs/promises'
import { definePlaybook, reconcile, type TaskList } from 'sak-reconcile'
import { command, file, packages } from 'sak-reconcile/modules'
import t from 'tap'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const
type Params = Parameters<typeof packages>[0]

async function run(list: TaskList, { dryRun = false, allow = 'data' as 'data' | 'none' } = {}) {
  const report = await reconcile({
    playbook: definePlaybook({ name: 'packages', tasks: () => list }),
    inventory: inventoryOf([host]),
    dryRun,
    allow,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts
  if (!found || found.error) throw new Error(`no answer: ${JSON.stringify(report.hosts)}`)
  return { ...found, exitCode: report.exitCode }
}

/** One task: what became of it, with its changes by key and the titles of its steps. */
async function one(params: Params, options: Parameters<typeof run>[1] = {}) {
  const { tasks, roundTrips } = await run([packages(params)], options)
  const [task] = tasks
  if (!task) throw new Error('no task')
  const changes = Object.fromEntries(task.changes.map(({ key, before, after }) => [key, [before, after]]))
  return {
    ...task,
    changes,
    titles: task.steps.map(({ title }) => title),
    argvs: task.steps.map(({ argv }) => (Array.isArray(argv) ? argv.join(' ') : '')),
    trips: roundTrips,
  }
}
const dry = (params: Params) => one(params, { dryRun: true })

/** What dpkg says of our packages, one a line. */
const installed = () =>
  host.output(
    `dpkg-query -Wf '\${db:Status-Abbrev} \${Package} \${Version}\\n' 'sak-*' 2>/dev/null | grep -v ^un | sort`,
    root,
  )
const mayFail = { ...root, mayFail: true }
/** As at the beginning: none of our packages, and lists that know them. */
async function fresh() {
  const ours = `$(dpkg-query -Wf '\${Package} ' 'sak-*')`
  await host.exec(`apt-mark unhold ${ours}; dpkg --purge ${ours}; rm -f /srv/let-it; apt-get -q update`, mayFail)
}

await host.exec('sh -s', { ...root, stdin: await readFile(new URL('apt-repository.sh', import.meta.url), 'utf8') })

t.test('lists that are not there yet are fetched, and then the plan tells all', async t => {
  const missing = await dry({ name: 'sak-app' })
  t.match(missing, {
    status: 'drift',
    changes: { installed: [{ 'sak-app': 'not installed' }, { 'sak-app': 'installed' }], lists: ['none', 'fetched'] },
    titles: [/^fetch apt's lists .* look for sak-app$/, /^install sak-app, in the version that the lists have then$/],
    trips: 2,
  })
  t.match(await one({ name: 'sak-nothing' }), {
    status: 'failed',
    error: { said: /apt knows no package sak-nothing, with its lists fetched anew/, rollback: 'done' },
  })
  await host.exec('rm -rf /var/lib/apt/lists/*', root)
  t.match(await one({ name: ['sak-lib', 'sak-broken'] }), {
    status: 'failed',
    error: { said: /cannot start/, rollback: 'done' },
  })
  t.equal(await installed(), '', 'what came along unforeseen is gone too')
  await host.exec('rm -rf /var/lib/apt/lists/*', root)
  t.match(await one({ name: 'sak-provider' }), { status: 'changed', error: null })
  await host.exec('touch -c -d 2020-01-01 /etc/apt/sources.list.d/sak.list', root)
  t.match(await dry({ name: 'sak-lib' }), {
    changes: { lists: ['older than /etc/apt/sources.list.d/sak.list', 'fetched'] },
  })
})

t.test('a dry run tells what apt does, and leaves nothing', async t => {
  await fresh()
  await host.exec('touch /var/log/mark; sleep 0.1', root)
  t.match(await dry({ name: 'sak-app', version: '1.*' }), {
    status: 'drift',
    changes: {
      installed: [{ 'sak-app': 'not installed' }, { 'sak-app': '1.0' }],
      others: [{ 'sak-lib': 'not installed' }, { 'sak-lib': '2.0' }],
    },
    impact: 'none',
    argvs: [/ --no-remove install sak-lib=2.0 sak-app=1.0$/, 'apt-mark auto sak-lib'],
    trips: 2,
  })
  const written =
    "find / -xdev -newercm /var/log/mark -not -path '/var/log/*' -not -path '/run*' -not -path '/home/ubuntu/.pm2/*' -not -path '/var/www/*' -not -path '/proc/*'"
  t.equal(await host.output(written, root), '')
  t.match(await one({ name: 'sak-app', version: '1.*' }, { allow: 'none' }), { status: 'changed', error: null })
  t.equal(await installed(), 'ii  sak-app 1.0\nii  sak-lib 2.0')
  t.equal(await host.output('apt-mark showauto sak-app sak-lib', root), 'sak-lib', 'what came along may go again')
  t.match(await dry({ name: 'sak-app' }), { status: 'ok', trips: 1 })
})

t.test('upgrades, holds, and going back', async t => {
  const held = { name: 'sak-app', version: '1.0', hold: true } as const
  t.match(await one(held), { status: 'changed', titles: ['hold sak-app (apt-mark hold)'] })
  t.match(await dry({ name: 'sak-app', version: '2.0' }), { status: 'blocked', error: { code: 'override' } })
  t.match(await dry({ name: 'sak-app', state: 'absent' }), { status: 'blocked', error: { code: 'override' } })
  t.match(await one({ name: 'sak-app', version: '2.0', hold: true }, { allow: 'none' }), { status: 'pending' })
  await host.exec('echo by the admin >/etc/sak-app/sak-app.conf', root)
  t.match(await one({ name: 'sak-app', version: '2.0', hold: true }), { status: 'changed' })
  t.equal(await installed(), 'hi  sak-app 2.0\nii  sak-lib 2.0')
  t.equal(await host.output('cat /etc/sak-app/sak-app.conf', root), 'by the admin')
  t.match(await dry(held), {
    status: 'blocked',
    error: { code: 'refused', message: /go back: sak-app from 2.0 to 1.0/, hint: "mayDowngrade: ['sak-app'] lets it" },
  })
  t.match(await one({ ...held, mayDowngrade: ['sak-app'] }), { status: 'changed' })
  t.match(await one({ ...held, hold: false }), { status: 'changed', titles: ['unhold sak-app (apt-mark unhold)'] })
  t.equal(await installed(), 'ii  sak-app 1.0\nii  sak-lib 2.0')
})

t.test('what fails is undone: a new package, and an upgrade of several', async t => {
  await fresh()
  t.match(await one({ name: 'sak-broken' }), {
    status: 'failed',
    error: { message: /^install sak-broken, and 1 more: exit 100$/, said: /cannot start/, rollback: 'done' },
  })
  t.equal(await installed(), '')
  await one({ name: ['sak-app', 'sak-lib'], version: '1.0' })
  await host.exec('apt-mark auto sak-lib', root)
  t.match(await one({ name: 'sak-app', version: '3.0' }), {
    status: 'failed',
    changes: { others: [{ 'sak-lib': '1.0' }, { 'sak-lib': '2.0' }] },
    error: { said: /no good/, rollback: 'done' },
  })
  t.equal(await installed(), 'ii  sak-app 1.0\nii  sak-lib 1.0')
  t.equal(await host.output('apt-mark showauto sak-app sak-lib', root), 'sak-lib')
  const later = command({ argv: ['false'], creates: '/srv/nothing', impact: 'none', undo: 'none' })
  const { together } = await import('sak-reconcile')
  const both = await run([together([packages({ name: 'sak-lib', state: 'absent', mayRemove: ['sak-app'] }), later])])
  t.match(both.tasks, [{ status: 'failed' }, { status: 'failed' }])
  t.equal(await installed(), 'ii  sak-app 1.0\nii  sak-lib 1.0', 'removed, and brought back')
})

t.test('what stands in the way is said', async t => {
  await fresh()
  await one({ name: 'sak-app', version: '2.0' })
  const blocked = async (params: Params, message: RegExp, hint: RegExp) =>
    t.match(await dry(params), { status: 'blocked', error: { code: 'refused', message, hint } })
  await blocked({ name: 'sak-rival' }, /apt would remove .*sak-lib 2.0/, /mayRemove: \[.*'sak-lib'.*\] lets it/)
  await blocked({ name: 'sak-lib', state: 'absent' }, /apt would remove sak-app 2.0$/, /mayRemove: \['sak-app'\]/)
  await blocked({ name: 'sak-lib', version: '9.9' }, /Version '9.9' for 'sak-lib' was not found/, /apt has 2.0, 1.0/)
  await blocked({ name: 'sak-nothing' }, /Unable to locate package sak-nothing/, /listsMaxAge/)
  await blocked({ name: 'sak-virtual' }, /sak-virtual is no package.*sak-provider/, /name the package itself/)
  await blocked({ name: 'sak.plugin' }, /sak.plugin is no package.*sak-plugin/, /name the package itself/)
  t.match(await one({ name: 'sak-rival', mayRemove: ['sak-lib', 'sak-app'] }), { status: 'changed' })
  t.equal(await installed(), 'ii  sak-rival 1.0\nrc  sak-app 2.0')
})

t.test('away, with or without what it leaves', async t => {
  await fresh()
  await one({ name: ['sak-app', 'sak-lib'], version: '2.0' })
  t.match(await one({ name: 'sak-app', state: 'absent' }), { status: 'changed', impact: 'restart' })
  t.equal(await installed(), 'ii  sak-lib 2.0\nrc  sak-app 2.0')
  t.match(await dry({ name: 'sak-app', state: 'absent' }), { status: 'ok', trips: 1 })
  t.match(await one({ name: 'sak-app', state: 'absent', purge: true }), { status: 'changed', impact: 'data' })
  t.equal(await installed(), 'ii  sak-lib 2.0')
  t.match(await dry({ name: ['sak-app', 'sak-unheard-of'], state: 'absent', purge: true }), { status: 'ok' })
})

t.test('what was left half-way is found and brought to its end', async t => {
  await fresh()
  await host.exec('apt-get -y install sak-broken', mayFail)
  t.match(await dry({ name: 'sak-broken' }), {
    status: 'drift',
    changes: { installed: [{ 'sak-broken': '1.0, half-configured' }, { 'sak-broken': '1.0' }] },
  })
  t.match(await one({ name: 'sak-broken' }), { status: 'failed', error: { said: /cannot start/ } })
  await host.exec('touch /srv/let-it', root)
  t.match(await one({ name: 'sak-lib' }), {
    changes: { others: [{ 'sak-broken': '1.0, half-configured' }, {}] },
    status: 'changed',
  })
  const killed = `dpkg-query -s sak-broken | sed 's/^Status: .*/Status: install ok half-configured/' >/var/lib/dpkg/updates/0000`
  await host.exec(killed, root)
  t.match(await one({ name: 'sak-provider' }), {
    status: 'changed',
    titles: [/dpkg --configure -a/, /^install sak-provider/],
  })
  t.equal(await host.output('dpkg --audit; ls /var/lib/dpkg/updates', root), '')
})

t.test('what a power cut leaves is undone by the next apply', async t => {
  await fresh()
  await host.exec('touch /srv/cut', root)
  t.match(await one({ name: 'sak-cut' }), { status: 'failed', error: { rollback: 'failed' } })
  t.match(await installed(), /^i[FUH] {1,2}sak-cut 1.0/)
  t.match(await dry({ name: 'sak-cut' }), { status: 'interrupted' })
  const other = await one({ name: 'sak-provider' })
  t.match(other, { status: 'changed', error: null })
  t.equal(await installed(), 'ii  sak-provider 1.0', 'the other task was undone first')
})

t.test("somebody else's lock is waited for", async t => {
  await fresh()
  const hold = (path: string) =>
    `perl -e 'use Fcntl; open(F, ">", "${path}") or die; fcntl(F, F_SETLK, pack("s s l! l! i x8", F_WRLCK, 0, 0, 0, 0)) or die; sleep 4' >/dev/null 2>&1 &`
  await host.exec(`${hold('/var/lib/dpkg/lock-frontend')} sleep 0.3`, root)
  t.match(await one({ name: 'sak-lib', hold: true }), { status: 'changed', error: null })
  await host.exec(`rm -rf /var/lib/apt/lists/*; ${hold('/var/lib/apt/lists/lock')} sleep 0.3`, root)
  t.match(await one({ name: 'sak-plugin' }), { status: 'changed', error: null })
})

t.test('what a package brings is deferred in a dry run, and applied after it', async t => {
  await fresh()
  const list = [
    packages({ name: 'sak-app', version: '2.*' }, { label: 'app' }),
    packages({ name: 'sak-plugin' }, { label: 'plugin' }),
    packages({ name: 'perl-base' }, { label: 'there already' }),
    file({ path: '/etc/sak-app/extra.conf', content: 'x\n' }),
  ]
  const planned = await run(list, { dryRun: true })
  t.same(
    planned.tasks.map(({ status }) => status),
    ['drift', 'deferred', 'ok', 'deferred'],
  )
  t.equal(planned.exitCode, 2)
  t.equal((await run(list)).exitCode, 0)
  const after = await run(list, { dryRun: true })
  t.match(after, { exitCode: 0, roundTrips: 1 })
})
