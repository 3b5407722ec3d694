import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { z } from 'zod'
import { file } from '../../modules/file/module.ts'
import { line } from '../../modules/line/module.ts'
import { service } from '../../modules/service/module.ts'
import { parseUnit, stateOf } from '../../modules/service/parse.ts'
import { timer } from '../../modules/timer/module.ts'
import { definePlaybook, type Step, type TaskList, type TaskOptions, together } from '../../src/index.ts'
import { brokenLaws, type FakeHostState, fakeHost, runCases } from '../../src/testing.ts'

const cases = await runCases(fileURLToPath(new URL('../../fixtures/service', import.meta.url)), service)

t.test('cases', async t => {
  t.ok(cases.length >= 15)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

const clock = Date.UTC(2026, 10, 25, 12) / 1000
const at = (seconds: number) =>
  `Wed ${new Date((clock + seconds) * 1000).toISOString().replace('T', ' ').slice(0, 19)} UTC`

/** What `observe` prints at noon of a daemon that was started a minute ago. */
const daemon = {
  now: String(clock),
  self: '1000000',
  main: '994000',
  Id: 'app.service',
  LoadState: 'loaded',
  ActiveState: 'active',
  SubState: 'running',
  UnitFileState: 'enabled',
  FragmentPath: '/etc/systemd/system/app.service',
  NeedDaemonReload: 'no',
  InvocationID: 'abc',
  CanStart: 'yes',
  CanStop: 'yes',
  CanReload: 'yes',
  Type: 'simple',
  RemainAfterExit: 'no',
  MainPID: '7',
  NRestarts: '0',
  Result: 'success',
  ReloadResult: 'success',
  ExecReload: '{ path=/bin/kill ; start_time=[n/a] ; stop_time=[n/a] }',
  StateChangeTimestamp: at(-60),
  StateChangeTimestampMonotonic: '1',
  InactiveExitTimestamp: at(-60),
  ActiveEnterTimestamp: at(-60),
  ExecMainStartTimestamp: at(-60),
}
type Said = Readonly<Record<string, string>>
const lines = (said: Said) =>
  `${Object.entries(said)
    .map(pair => pair.join('='))
    .join('\n')}\n`
const parsed = (said: Said) =>
  parseUnit({ code: 0, stdout: lines({ ...daemon, ...said }), stderr: '' }, { directory: '/x' })

t.test('when it was started and reloaded', async t => {
  t.match(parsed({}), { since: clock - 60, reloaded: undefined })
  t.equal(parsed({ ExecMainStartTimestamp: at(-60).replace(' UTC', '.250000 UTC') }).since, clock - 59.75)
  const forks = { Type: 'forking', InactiveExitTimestamp: at(-65) }
  t.equal(parsed(forks).since, clock - 65, 'what forks has read its files before systemd knows its process')
  t.equal(parsed({ StateChangeTimestamp: at(-5) }).reloaded, clock - 5)
  const begun = { StateChangeTimestamp: at(-5), ExecReload: `{ start_time=[${at(-9)}] ; stop_time=[${at(-5)}] }` }
  t.equal(parsed(begun).reloaded, clock - 9, 'files that changed while it was reloaded may have been read before')
  t.equal(parsed({ StateChangeTimestamp: at(-5), ReloadResult: 'exit-code' }).reloaded, undefined)
  t.equal(parsed({ StateChangeTimestamp: at(-5), SubState: 'exited' }).reloaded, undefined, 'its process has ended')
  t.equal(parsed({ StateChangeTimestamp: at(-5), SubState: 'exited', Type: 'oneshot' }).reloaded, clock - 5)
  t.equal(parsed({ ExecMainStartTimestamp: 'n/a', InactiveExitTimestamp: '' }).since, undefined)
})

t.test('a clock that was set since the start', async t => {
  t.equal(parsed({ main: '634000' }).since, clock - 60 - 3600, 'back by an hour: ticks say that it is older')
  t.equal(parsed({ main: '999000' }).since, clock - 60, 'forward: what changed since is newer all the same')
  t.equal(parsed({ main: '993900' }).since, clock - 60, 'a second is what counting costs')
  t.equal(parsed({ main: 'hidden' }).hidden, true)
})

t.test('states', async t => {
  const states: readonly (readonly [Said, string])[] = [
    [{}, 'running'],
    [{ ActiveState: 'reloading' }, 'running'],
    [{ NRestarts: '3' }, 'running'],
    [{ NRestarts: '3', ExecMainStartTimestamp: at(-4) }, 'dies and is started again'],
    [{ ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '9' }, 'dies and is started again'],
    [{ ActiveState: 'activating', SubState: 'start' }, 'starting'],
    [{ ActiveState: 'deactivating' }, 'stopping'],
    [{ ActiveState: 'inactive' }, 'stopped'],
    [{ ActiveState: 'failed', Result: 'start-limit-hit' }, 'failed (start-limit-hit)'],
  ]
  for (const [said, state] of states) t.equal(stateOf(parsed(said)), state)
})

type Input = z.input<typeof service.params>
const path = '/etc/app.conf'
const argvOf = {
  observe: ['sh', '-s', 'observe-unit', 'app.service'],
  change: ['sh', '-s', 'last-change', path],
  digests: ['sh', '-s', 'digests', path],
}
const hostOf = (said: Said, newest = clock - 100, more: FakeHostState = {}): FakeHostState => ({
  ...more,
  commands: [
    { argv: argvOf.observe, stdout: lines({ ...daemon, ...said }) },
    { argv: argvOf.change, stdout: `newest ${newest} ${path}\n` },
    { argv: argvOf.digests, stdout: `d1  ${path}\n` },
    ...(more.commands ?? []),
  ],
})
const found = (params: Partial<Input>, host: FakeHostState) =>
  service({ name: 'app', ...params }).assess(fakeHost(host))
const differing = async (params: Partial<Input>, host: FakeHostState) =>
  (await found(params, host)).changes.map(({ key }) => key)

t.test('files that the times prove to be loaded, and those that they do not', async t => {
  const follows = { restartedAfter: [path] }
  const isLoaded = async (newest: number, host: FakeHostState = {}) =>
    (await differing(follows, hostOf({}, newest, host))).length === 0
  t.equal(await isLoaded(clock - 60.5), true)
  t.equal(await isLoaded(clock - 60.005), false, 'within a tick of the clock that stamps files')
  t.equal(await isLoaded(clock - 61), false, 'counted in whole seconds, it may have been a second later')
  t.equal(await isLoaded(clock - 62), true)
  t.equal(await isLoaded(clock + 3600), false, 'in the future')
  const record = (text: string): FakeHostState => ({
    files: { '/run/sak-reconcile/service/app.service.started': text },
  })
  t.equal(await isLoaded(clock, record(`d1  ${path}\nInvocationID=abc\n`)), true, 'the same as our start has loaded')
  t.equal(await isLoaded(clock, record(`d1  ${path}\nInvocationID=older\n`)), false, 'of another start')
  t.equal(await isLoaded(clock, record(`d0  ${path}\nInvocationID=abc\n`)), false)
  t.equal(await isLoaded(clock, record(`d1  ${path}.d\nInvocationID=abc\n`)), false)
  const denied = await found(follows, hostOf({}, clock, { denied: ['/run/sak-reconcile/service/*'] }))
  t.match(denied.blocked, [{ code: 'needs-root' }], 'what may not be seen is not in sync')
})

t.test('a reload that is recorded', async t => {
  const follows = { reloadedAfter: [path] }
  const record = (state: string): FakeHostState => ({
    files: {
      '/run/sak-reconcile/service/app.service.reloaded': `d1  ${path}\nInvocationID=abc\nStateChangeTimestampMonotonic=${state}\n`,
    },
  })
  t.same(await differing(follows, hostOf({}, clock, record('1'))), [])
  t.same(await differing(follows, hostOf({}, clock, record('2'))), ['running'], 'there was another since')
  t.same(await differing(follows, hostOf({ StateChangeTimestamp: at(-5) }, clock - 10)), [])
  t.same(await differing({ restartedAfter: [path] }, hostOf({ StateChangeTimestamp: at(-5) }, clock - 10)), ['running'])
})

t.test('what may not be seen', async t => {
  const commands = [{ argv: argvOf.change, stderr: "find: '/etc/app.conf': Permission denied\n" }]
  const host = { commands: [...commands, ...(hostOf({}).commands ?? [])] }
  t.match(await found({ restartedAfter: [path] }, host), { blocked: [{ code: 'needs-root' }], steps: [] })
  t.match(await found({ restartedAfter: [path] }, hostOf({ main: 'hidden' })), { blocked: [{ code: 'needs-root' }] })
  t.match(await found({}, hostOf({ main: 'hidden' })), { blocked: [], changes: [] }, 'without files it does not matter')
})

t.test('laws', async t => {
  const running = hostOf({})
  const isTo = (step: Step, ...actions: string[]) => step.kind === 'service' && actions.includes(step.action)
  const masks = (step: Step) => step.kind === 'run' && step.argv.includes('mask')
  const does = (after: FakeHostState, ...actions: string[]) => ({
    does: (step: Step, host: FakeHostState) => (isTo(step, ...actions) || masks(step) ? after : host),
  })
  const task = (params: Partial<Input>) => service({ name: 'app', ...params })
  const stopped = { ActiveState: 'inactive', SubState: 'dead' }
  t.same(await brokenLaws(task({}), hostOf({ ...stopped, UnitFileState: 'disabled' }), does(running, 'enable')), [])
  t.same(await brokenLaws(task({ restartedAfter: [path] }), hostOf({}, clock), does(running, 'restart')), [])
  t.same(await brokenLaws(task({ reloadedAfter: [path] }), hostOf({}, clock), does(running, 'reload')), [])
  t.same(await brokenLaws(task({}), hostOf({ NeedDaemonReload: 'yes' }), does(running, 'daemon-reload')), [])
  const off = hostOf({ ...stopped, UnitFileState: 'disabled' })
  t.same(await brokenLaws(task({ state: 'stopped' }), running, does(off, 'disable')), [])
  const masked = hostOf({ ...stopped, UnitFileState: 'masked', LoadState: 'masked' })
  const ofPackage = hostOf({ FragmentPath: '/lib/systemd/system/app.service' })
  t.same(await brokenLaws(task({ state: 'masked' }), ofPackage, does(masked)), [])
  t.same(await brokenLaws(task({ overrides: 'remove' }), masked, does(running, 'enable')), [])
  const loops = hostOf({ ActiveState: 'activating', SubState: 'auto-restart' })
  t.same(await brokenLaws(task({}), loops, does(running, 'start')), [])
})

t.test('each service is activated once, and by no more than is needed', async t => {
  const both = { restartedAfter: ['/etc/b.conf'], reloadedAfter: [path] }
  const change = (newest: number) => ({
    commands: [
      { argv: ['sh', '-s', 'last-change', '/etc/b.conf'], stdout: `newest ${newest} /etc/b.conf\n` },
      { argv: ['sh', '-s', 'digests', '/etc/b.conf'] },
    ],
  })
  const actions = async (...hosts: Parameters<typeof hostOf>) =>
    (await found(both, hostOf(...hosts))).steps.flatMap(step => (step.kind === 'service' ? [step.action] : []))
  t.same(await actions({}, clock, change(clock - 100)), ['reload'])
  t.same(await actions({}, clock, change(clock)), ['restart'])
  t.same(await actions({ ActiveState: 'inactive' }, clock, change(clock)), ['start'])
  t.same(await actions({}, clock - 100, change(clock - 100)), [])
  t.equal(service({ name: 'app' }).impact, 'none')
  t.equal(service({ name: 'app', reloadedAfter: [path] }).impact, 'reload')
  t.equal(service({ name: 'app', restartedAfter: [path] }).impact, 'restart')
  t.equal(service({ name: 'app', state: 'stopped' }).impact, 'restart')
})

t.test('names and owners', async t => {
  const owns = (name: string) => service({ name }).owns
  t.same(owns('nginx'), ['systemd:nginx.service'])
  t.same(owns('nginx.service'), ['systemd:nginx.service'])
  t.same(owns('app@a.b'), ['systemd:app@a.b.service'])
  t.same(owns('app.socket'), ['systemd:app.socket'])
  t.same(service({ name: 'app', scope: 'user', user: 'shop' }).owns, ['systemd:shop:app.service'])
  const job = timer({ name: 'job', command: ['/bin/true'], onCalendar: 'daily' })
  const playbook = definePlaybook({ name: 'both', hosts: 'all', tasks: () => [job, service({ name: 'job.timer' })] })
  t.throws(() => playbook().tasksFor({ name: 'web1', vars: {}, groups: [] }), /both own systemd:job\.timer/)
})

t.test('what it follows is written before it', async t => {
  const load = (...tasks: TaskList) =>
    definePlaybook({ name: 'site', tasks: () => tasks })().tasksFor({ name: 'web1', vars: {}, groups: [] })
  const app = service({ name: 'app', restartedAfter: ['/etc/app'] })
  const refused = { code: 'invalid-playbook', hint: /put "conf" before "service"/ }
  const conf = (path: string, when?: TaskOptions['when']) =>
    file({ path, content: 'x' }, { label: 'conf', ...(when !== undefined && { when }) })
  t.throws(() => load(app, conf('/etc/app/app.conf')), {
    ...refused,
    message: /host web1: "service" follows \/etc\/app, which the later task "conf" writes/,
  })
  t.throws(() => load(app, conf('/etc/app')), refused)
  t.throws(() => load(app, line({ path: '/etc/app/app.conf', line: 'a' }, { label: 'conf' })), refused)
  t.throws(() => load(together([app, conf('/etc/app/app.conf')])), refused)
  const late = service({ name: 'app', reloadedAfter: ['/etc/app.conf'] })
  t.throws(() => load(late, conf('/etc/app.conf')), refused)
  t.throws(() => load(service({ name: 'app@a' }), conf('/etc/systemd/system/app@.service')), refused, 'its own unit')
  t.throws(() => load(service({ name: 'app' }), conf('/etc/systemd/system/app.service.d/a.conf')), refused)
  t.doesNotThrow(() => load(conf('/etc/app/app.conf'), app))
  t.doesNotThrow(() => load(app, conf('/etc/application.conf')))
  t.doesNotThrow(() => load(app, conf('/etc/app/app.conf', false)), 'what is never wanted')
  t.doesNotThrow(() => load(service({ name: 'app', state: 'stopped' }), conf('/etc/systemd/system/app.service')))
})

t.test('params', async t => {
  const refused = (params: Input, message: RegExp) => t.throws(() => service(params), message)
  refused({ name: 'a b' }, /expected a unit such as/)
  refused({ name: '-x' }, /expected a unit such as/)
  refused({ name: 'app@' }, /an instance of the template/)
  refused({ name: 'app@.service' }, /an instance of the template/)
  refused({ name: 'app', restartedAfter: ['/a'], reloadedAfter: ['/a/'] }, /\/a is in restartedAfter too/)
  refused({ name: 'app', state: 'stopped', restartedAfter: ['/a'] }, /follows no files/)
  refused({ name: 'app', state: 'leave' }, /expected something to keep/)
  refused({ name: 'app', state: 'masked', enabled: true }, /not started at boot/)
  refused({ name: 'app', scope: 'user' }, /expected whose systemd it is/)
  refused({ name: 'app', user: 'shop' }, /only scope: "user" has one/)
})

t.test('a host without systemd', async t => {
  const without = { commands: [{ argv: argvOf.observe, code: 1, stderr: 'System has not been booted with systemd\n' }] }
  await t.rejects(found({}, without), { code: 'unsupported', message: /not been booted with systemd/ })
})

t.test('adopted are services with files of their own', async t => {
  const host = fakeHost({
    files: {
      '/etc/systemd/system/app.service': '',
      '/etc/systemd/system/sshd.service': { realPath: '/lib/systemd/system/ssh.service' },
      '/etc/systemd/system/many@.service': '',
      '/etc/systemd/system/backup.service': '',
      '/etc/systemd/system/backup.timer': '',
    },
  })
  t.same(await service.adopt?.(host), [{ name: 'app' }])
  t.match(await service.adopt?.(fakeHost({})), /no service has a file of its own/)
})
