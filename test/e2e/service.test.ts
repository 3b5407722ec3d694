import { definePlaybook, reconcile, type Task, type TaskItem, together } from 'sak-reconcile'
import { file, service } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import type { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const

async function all(items: readonly TaskItem[], dryRun: boolean) {
  const report = await reconcile({
    playbook: definePlaybook({ name: 'services', tasks: () => items }),
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts
  if (!found || found.tasks.length === 0) throw new Error(`no tasks: ${JSON.stringify(report.hosts)}`)
  const tasks = found.tasks.map(task => ({
    ...task,
    keys: task.changes.map(change => change.key).sort(),
    did: task.steps.flatMap(step => (step.kind === 'service' ? [`${step.action} ${step.name}`.trim()] : [])),
  }))
  return { exitCode: report.exitCode, trips: found.roundTrips, tasks }
}
async function one(task: Task, dryRun: boolean) {
  const { trips, tasks } = await all([task], dryRun)
  const [found] = tasks
  if (!found) throw new Error('no task')
  return { ...found, trips }
}
const dry = (task: Task) => one(task, true)
const run = (task: Task) => one(task, false)
const isInSync = async (test: Test, task: Task, message = 'in sync') =>
  test.match(await dry(task), { status: 'ok', keys: [], error: null }, message)

/** Steady for a second: what dies here dies within half of one. */
const keep = (params: z.input<typeof service.params>) => service({ steadyFor: '1s', ...params })
const conf = (content: string) => file({ path: '/etc/probe.conf', content: `${content}\n` })
const starts = async (unit = 'probe') => Number(await host.output(`cat /run/${unit}.starts | wc -l`, root))
/** By hand, long enough after a change for the times to prove it, and whatever the limit of starts. */
const restart = () => host.exec('sleep 0.1; systemctl reset-failed probe; systemctl restart probe', root)
const write = (path: string, content: string) =>
  host.exec(`mkdir -p "$(dirname ${path})"; cat >${path}`, { ...root, stdin: content })
const unit = (name: string, ...lines: string[]) =>
  write(`/etc/systemd/system/${name}`, `${lines.join('\n')}\n[Install]\nWantedBy=multi-user.target\n`)

await write(
  '/usr/local/bin/probe',
  `#!/bin/sh
echo start >>/run/$1.starts
echo "$1 reads $(cat /etc/$1.conf)"
case $(cat /etc/$1.conf) in refuse) echo "$1: no such option"; exit 3 ;; die) sleep 0.4; exit 4 ;; esac
trap 'echo reload >>/run/'$1'.reloads' HUP
while :; do sleep 0.1; done
`,
)
await host.exec('chmod 755 /usr/local/bin/probe', root)
await write('/etc/probe.conf', 'one\n')
const daemon = ['[Service]', 'ExecStart=/usr/local/bin/probe probe', 'ExecReload=/bin/kill -HUP $MAINPID']
await unit('probe.service', ...daemon, 'Restart=always', 'RestartSec=100ms')
await host.exec('systemctl daemon-reload', root)

const probe = keep({ name: 'probe', restartedAfter: ['/etc/probe.conf'] })

t.test('started and enabled, and found so', async t => {
  t.match(await dry(probe), {
    status: 'drift',
    keys: ['boot', 'running'],
    did: ['start probe.service', 'enable probe.service'],
    trips: 1,
  })
  t.match(await host.exec('systemctl is-active probe', { mayFail: true }), { code: 3 }, 'a dry run starts nothing')
  t.match(await run(probe), { status: 'changed', error: null })
  t.match(await dry(probe), { status: 'ok', trips: 1 })
  t.equal(await host.output('systemctl is-active probe; systemctl is-enabled probe'), 'active\nenabled')
})

t.test('a file and the service that follows it, in one playbook', async t => {
  const before = await starts()
  const playbook = [conf('two'), probe]
  const planned = await all(playbook, true)
  t.match(planned, {
    exitCode: 2,
    trips: 1,
    tasks: [{ status: 'drift' }, { status: 'drift', did: ['restart probe.service'] }],
  })
  t.equal(await starts(), before)
  const done = await all(playbook, false)
  t.match(done, { exitCode: 0, tasks: [{ status: 'changed' }, { status: 'changed' }] })
  t.same(
    done.tasks.map(({ steps }) => steps),
    planned.tasks.map(({ steps }) => steps),
    'what was planned was done',
  )
  t.equal(await starts(), before + 1, 'restarted once')
  t.match(await all(playbook, true), { exitCode: 0 })
})

t.test('a hand that changes the file and forgets the restart', async t => {
  const drifts = {
    written: 'echo three >/etc/probe.conf',
    'put there with an old time': 'echo four >/tmp/x; touch -d 2001-01-01 /tmp/x; mv /tmp/x /etc/probe.conf',
    removed: 'rm /etc/probe.conf',
    'its mode': 'echo five >/etc/probe.conf; systemctl restart probe; sleep 0.1; chmod 600 /etc/probe.conf',
  }
  for (const [what, command] of Object.entries(drifts)) {
    await host.exec(command, root)
    t.match(await dry(probe), { status: 'drift', keys: ['running'], did: ['restart probe.service'] }, what)
    await restart()
    await isInSync(t, probe, what)
  }
})

t.test('what was written in the tick of the start is known by what it was', async t => {
  await host.exec('echo six >/etc/probe.conf; chmod 644 /etc/probe.conf', root)
  t.match(await run(probe), { status: 'changed' })
  await host.exec('touch /etc/probe.conf', root)
  t.match(await dry(probe), { status: 'ok', trips: 2 }, 'touched, and the same as our start has loaded')
  await host.exec('echo seven >/etc/probe.conf', root)
  t.match(await dry(probe), { status: 'drift' })
  await host.exec('echo six >/etc/probe.conf', root)
  t.match(await dry(probe), { status: 'ok' })
  t.equal(
    await host.output(
      'stat -c "%a %U" /run/sak-reconcile/service /run/sak-reconcile/service/probe.service.started',
      root,
    ),
    '700 root\n600 root',
  )
  await host.exec('systemctl restart probe; touch /etc/probe.conf', root)
  t.match(await dry(probe), { status: 'drift' }, 'a start that is not ours, and a file that may be newer')
})

t.test('directories and links', async t => {
  await write('/etc/probe.d/a/b/deep.conf', 'x')
  await write('/srv/releases/1/settings', '1')
  await write('/srv/releases/2/settings', '2')
  await host.exec(
    'ln -s /srv/releases/2 /srv/current; ln -s /srv/releases/1/settings /etc/probe.d/link; sleep 0.1; systemctl restart probe',
    root,
  )
  const follows = keep({ name: 'probe', restartedAfter: ['/etc/probe.d', '/srv/current/settings'] })
  await isInSync(t, follows)
  const drifts = [
    ['echo y >/etc/probe.d/a/b/deep.conf', /deep\.conf/],
    ['rm /etc/probe.d/a/b/deep.conf', /a\/b/],
    ['touch /etc/probe.d/.hidden', /hidden|probe\.d/],
    ['echo x >>/srv/releases/1/settings', /link/],
    ['ln -sfn /srv/releases/1 /srv/current', /current/],
  ] as const
  for (const [command, where] of drifts) {
    await host.exec(command, root)
    const found = await dry(follows)
    t.match(found, { status: 'drift', keys: ['running'] }, command)
    t.match(JSON.stringify(found.changes[0]?.before), where)
    await restart()
    await isInSync(t, follows, command)
  }
  for (const path of [
    '/etc/probe.d/new',
    '/etc/probe.d/a/deeper',
    '/srv/current/settings',
    '/srv/releases/1/settings',
  ]) {
    const planned = await all([file({ path, content: 'from a task' }), follows], true)
    t.match(planned.tasks, [{ status: 'drift' }, { status: 'drift', did: ['restart probe.service'] }], path)
  }
})

t.test('a reload is enough', async t => {
  const reloads = async () => Number(await host.output('cat /run/probe.reloads 2>/dev/null | wc -l', root))
  const reloaded = keep({ name: 'probe', reloadedAfter: ['/etc/probe.conf'] })
  await restart()
  await isInSync(t, reloaded)
  const [before, started] = [await reloads(), await starts()]
  t.match((await all([conf('eight'), reloaded], true)).tasks, [{}, { did: ['reload probe.service'] }])
  t.match(await all([conf('eight'), reloaded], false), { exitCode: 0 })
  await isInSync(t, reloaded)
  t.same([await reloads(), await starts()], [before + 1, started])
  await host.exec('sleep 0.1; echo nine >/etc/probe.conf', root)
  t.match(await dry(reloaded), { status: 'drift', did: ['reload probe.service'] })
  await host.exec('sleep 0.1; systemctl reload probe', root)
  await isInSync(t, reloaded)
  await host.exec('systemctl daemon-reload', root)
  await isInSync(t, reloaded, 'systemd has forgotten when, but not that')
  await write('/run/systemd/system/probe.service.d/x.conf', '[Service]\nExecReload=\nExecReload=/bin/false\n')
  await host.exec('systemctl daemon-reload; echo ten >/etc/probe.conf; sleep 0.1; systemctl reload probe || true', root)
  t.match(await dry(reloaded), { status: 'drift', did: ['reload probe.service'] }, 'a reload that failed is none')
  t.match(await run(reloaded), { status: 'failed', error: { code: 'step-failed' } })
  await host.exec('rm -r /run/systemd/system/probe.service.d', root)
  t.match(await dry(reloaded), { status: 'drift', changes: [{ before: { definition: 'older than its file' } }] })
  t.match(await run(reloaded), { status: 'changed', did: ['daemon-reload', 'reload probe.service'] })
  await isInSync(t, reloaded)
})

t.test('each drift of the state is found and mended', async t => {
  const drifts = [
    ['systemctl stop probe', ['running'], ['start probe.service']],
    ['systemctl disable probe', ['boot'], ['enable probe.service']],
    ['systemctl disable probe; systemctl enable --runtime probe', ['boot'], ['enable probe.service']],
    ['systemctl kill -s KILL probe; sleep 0.5', ['running'], ['stop probe.service', 'start probe.service']],
    ['echo "# " >>/etc/systemd/system/probe.service', ['running'], ['daemon-reload']],
  ] as const
  await restart()
  for (const [command, keys, did] of drifts) {
    await host.exec(command, root)
    t.match(await run(probe), { status: 'changed', error: null, keys, did }, command)
    await isInSync(t, probe, command)
  }
})

t.test('a service that does not come up', async t => {
  for (const word of ['die', 'refuse']) {
    await host.exec(
      'echo fine >/etc/probe.conf; sleep 0.1; systemctl reset-failed probe; systemctl restart probe',
      root,
    )
    const failed = await all([together([conf(word), probe])], false)
    t.match(
      failed,
      {
        exitCode: 4,
        tasks: [{ status: 'failed' }, { status: 'failed', error: { code: 'step-failed', rollback: 'done' } }],
      },
      word,
    )
    t.match(failed.tasks[1]?.error?.said, new RegExp(`did not stay up[^]*probe reads ${word}`), 'with what it said')
    t.equal(
      await host.output('cat /etc/probe.conf; systemctl is-active probe', root),
      'fine\nactive',
      'the old one runs',
    )
    await isInSync(t, probe)
    await host.exec(`echo ${word} >/etc/probe.conf; systemctl restart probe; sleep 1`, root)
    t.match(await dry(probe), { status: 'drift', keys: ['running'] }, 'over and over, or given up')
    t.match(await all([conf('well'), probe], false), { exitCode: 0 }, 'whatever the limit of starts')
  }
  const tried = keep({
    name: 'probe',
    restartedAfter: ['/etc/probe.conf'],
    validate: ['grep', '-q', 'well', '/etc/probe.conf'],
  })
  const before = await starts()
  t.match(await all([together([conf('ill'), tried])], false), {
    exitCode: 4,
    tasks: [{}, { error: { step: /^run grep/ } }],
  })
  t.equal(await starts(), before, 'what the trial refuses is never started')
  await write(
    '/etc/systemd/system/exits.service',
    '[Service]\nType=forking\nExecStart=/bin/sh -c "echo no way; exit 7"\n',
  )
  t.match(await run(keep({ name: 'exits', enabled: 'leave' })), {
    status: 'failed',
    error: { step: 'service start exits.service', said: /no way/, rollback: 'done' },
  })
  t.equal(await host.output('systemctl is-failed exits || true'), 'inactive', 'no mark of ours is left')
  await write(
    '/etc/systemd/system/never.service',
    '[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep 1d\n',
  )
  t.match(await run(keep({ name: 'never' })), {
    status: 'failed',
    error: { said: /a condition of its unit is not met/ },
  })
})

t.test('a unit whose file an earlier task writes', async t => {
  const text = ['[Service]', 'ExecStart=/bin/sleep 1d', '[Install]', 'WantedBy=multi-user.target', ''].join('\n')
  const path = '/etc/systemd/system/new.service'
  const playbook = (content: string) => [file({ path, content }), keep({ name: 'new', restartedAfter: [path] })]
  const fresh = await all(playbook(text), true)
  t.match(fresh.tasks[1], { status: 'drift', did: ['daemon-reload', 'start new.service', 'enable new.service'] })
  t.match(await all(playbook(text), false), { exitCode: 0 })
  t.match(await all(playbook(text), true), { exitCode: 0 })
  const other = text.replace('1d', '2d')
  t.match((await all(playbook(other), true)).tasks[1], { did: ['daemon-reload', 'restart new.service'] })
  t.match(await all(playbook(other), false), { exitCode: 0 })
  t.match(await host.output('systemctl show new -p ExecStart'), /sleep 2d/)
  t.match(await all(playbook(other), true), { exitCode: 0 })
})

t.test('stopped, masked, and left as it is', async t => {
  const followed = keep({ name: 'probe', state: 'leave', restartedAfter: ['/etc/probe.conf'] })
  await host.exec('echo other >/etc/probe.conf', root)
  t.match(await dry(followed), { status: 'drift', did: ['restart probe.service'] })
  t.match(await run(keep({ name: 'probe', state: 'stopped' })), {
    status: 'changed',
    did: ['stop probe.service', 'disable probe.service'],
  })
  await isInSync(t, keep({ name: 'probe', state: 'stopped' }))
  await isInSync(t, followed, 'what does not run has nothing old loaded')
  const masked = keep({ name: 'cron', state: 'masked' })
  t.match(await run(masked), { status: 'changed', keys: ['boot', 'running'] })
  await isInSync(t, masked)
  t.match(await dry(keep({ name: 'cron' })), { status: 'blocked', error: { code: 'override' } })
  t.match(await run(keep({ name: 'cron', overrides: 'remove' })), { status: 'changed', error: null })
  await isInSync(t, keep({ name: 'cron' }))
  await isInSync(t, keep({ name: 'nothing-here', state: 'stopped' }), 'what is not there does not run')
})

t.test('units of other kinds', async t => {
  await unit('once.service', '[Service]', 'Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/usr/local/bin/once')
  await write('/usr/local/bin/once', '#!/bin/sh\necho start >>/run/once.starts\n')
  await unit(
    'notify.service',
    '[Service]',
    'Type=notify',
    'NotifyAccess=all',
    'ExecStart=/bin/sh -c "sleep 0.5; systemd-notify --ready; exec sleep 1d"',
  )
  await unit('many@.service', '[Service]', 'ExecStart=/bin/sleep %i')
  await unit('lazy.socket', '[Socket]', 'ListenStream=/run/lazy.sock')
  await unit('lazy.service', '[Service]', 'ExecStart=/bin/sleep 1d')
  await host.exec('chmod 755 /usr/local/bin/once; systemctl daemon-reload', root)
  for (const params of [
    { name: 'once', restartedAfter: ['/usr/local/bin/once'] },
    { name: 'notify', restartedAfter: ['/etc/probe.conf'] },
    { name: 'many@1000', restartedAfter: ['/etc/probe.conf'] },
    { name: 'lazy.socket', restartedAfter: ['/etc/probe.conf'] },
  ]) {
    t.match(await run(keep(params)), { status: 'changed', error: null, keys: ['boot', 'running'] }, params.name)
    await isInSync(t, keep(params), params.name)
    await host.exec(`echo "# $(date +%N)" >>${params.restartedAfter[0]}`, root)
    t.match(await run(keep(params)), { status: 'changed', keys: ['running'] }, params.name)
    await isInSync(t, keep(params), params.name)
  }
  t.equal(await starts('once'), 2)
  await isInSync(t, keep({ name: 'lazy', state: 'leave', restartedAfter: ['/etc/probe.conf'] }))
})

t.test('what cannot be is blocked', async t => {
  await write('/etc/systemd/system/job.service', '[Service]\nType=oneshot\nExecStart=/bin/true\n')
  await write('/etc/systemd/system/broken.service', '[Service]\nType=simple\n')
  await host.exec('systemctl daemon-reload', root)
  const blocked = async (params: z.input<typeof service.params>, code: string, message: RegExp) =>
    t.match(await dry(keep(params)), { status: 'blocked', error: { code, message } })
  await blocked({ name: 'nothing-here' }, 'not-installed', /systemd has no nothing-here\.service/)
  await blocked({ name: 'sshd' }, 'refused', /another name of ssh\.service/)
  await blocked({ name: 'job' }, 'refused', /ends once it has done its work/)
  await blocked({ name: 'broken' }, 'refused', /does not take broken\.service \(bad-setting\)/)
  await blocked({ name: 'cron', reloadedAfter: ['/etc/crontab'] }, 'refused', /cannot be reloaded/)
  await blocked({ name: 'systemd-journald', enabled: true }, 'refused', /is static/)
  await blocked({ name: 'probe', state: 'masked' }, 'refused', /its own file \/etc/)
})

t.test('a unit of a user', async t => {
  const mine = keep({ name: 'mine', scope: 'user', user: 'admin', restartedAfter: ['/etc/probe.conf'] })
  t.match(await dry(mine), {
    status: 'blocked',
    error: { code: 'refused', message: /the systemd of admin does not run/ },
  })
  await host.exec(
    'loginctl enable-linger admin; until [ -S /run/user/$(id -u admin)/systemd/private ]; do sleep 0.1; done',
    root,
  )
  t.match(await dry(mine), { status: 'blocked', error: { code: 'not-installed' } })
  await host.exec(
    'mkdir -p ~/.config/systemd/user; printf "[Service]\\nExecStart=/bin/sleep 1d\\n[Install]\\nWantedBy=default.target\\n" >~/.config/systemd/user/mine.service',
    { as: 'admin' },
  )
  t.match(await run(mine), { status: 'changed', error: null, keys: ['boot', 'running'] })
  t.match(await dry(mine), { status: 'ok', trips: 2 })
  await host.exec('touch /etc/probe.conf', root)
  await isInSync(t, mine, 'the same as our start has loaded')
  await host.exec('echo other >/etc/probe.conf', root)
  t.match(await run(mine), { status: 'changed', did: ['restart mine.service'] })
  await host.exec('loginctl disable-linger admin', root)
  t.match(await dry(mine), { status: /drift|blocked/ })
})

t.test('after a reboot', async t => {
  await host.exec('systemctl enable probe; systemctl start probe', root)
  await host.reboot()
  await isInSync(t, probe)
  await isInSync(t, keep({ name: 'nginx', reloadedAfter: ['/etc/nginx'] }))
  await isInSync(t, keep({ name: 'postgresql@15-main', restartedAfter: ['/etc/postgresql'] }))
})
