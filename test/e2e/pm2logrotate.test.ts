import { definePlaybook, reconcile } from 'sak-reconcile'
import { pm2logrotate } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

type Params = z.input<typeof pm2logrotate.params>
const guide: Params = { user: 'ubuntu' }
const conf = '/home/ubuntu/.pm2/module_conf.json'

async function run(params: Params = guide, dryRun = false) {
  const playbook = definePlaybook({ name: 'logs', tasks: () => [pm2logrotate(params)] })
  const report = await reconcile({
    playbook,
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [task] = report.hosts[0]?.tasks ?? []
  if (!task) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...task, keys: task.changes.map(change => change.key), trips: report.hosts[0]?.roundTrips }
}

const dry = (params: Params = guide) => run(params, true)

async function isInSync(t: Test, params: Params = guide) {
  t.match(await dry(params), { status: 'ok', keys: [] }, 'a second look finds nothing to do')
}

const Listed = z.array(z.object({ name: z.string(), pid: z.number(), pm2_env: z.looseObject({ status: z.string() }) }))
const Settings = z.looseObject({ max_size: z.string(), retain: z.string() })

/** What the module's process was started with. */
async function runningSettings() {
  const found = Listed.parse(JSON.parse(await host.output('pm2 jlist'))).find(({ name }) => name === 'pm2-logrotate')
  if (found?.pm2_env.status !== 'online') return undefined
  return Settings.parse(JSON.parse(String(found.pm2_env['pm2-logrotate'])))
}

/** What the command says once it says what is wanted, or at last. */
const soon = (command: string, wanted: string) =>
  host.output(`for i in $(seq 100); do [ "$(${command})" = ${wanted} ] && break; sleep 0.2; done; ${command}`)

const appPid = () => host.output('pm2 pid sak-whatsapp-api')

t.test('no registry: blocked with the reason, and nothing is touched', async t => {
  await host.exec('sed -i s/offline=true/offline=false/ ~/.npmrc')
  const before = await host.output(`cat ${conf}`)
  t.match(await run(), { status: 'blocked', error: { code: 'unsupported', message: /cannot be reached/ } })
  t.equal(await host.output(`cat ${conf}`), before)
  await host.exec('sed -i s/offline=false/offline=true/ ~/.npmrc')
})

t.test('an install that fails leaves no trace', async t => {
  await host.exec('mv ~/.npm ~/.npm.off')
  const before = await host.output(`cat ${conf}; ls -A ~/.pm2/modules`)
  t.match(await run(), { status: 'failed', error: { code: 'step-failed', rollback: 'done' } })
  t.equal(await host.output(`cat ${conf}; ls -A ~/.pm2/modules`), before)
  await host.exec('rm -rf ~/.npm; mv ~/.npm.off ~/.npm')
})

t.test('a stock host gets the module, set and running, and the app goes on', async t => {
  const pid = await appPid()
  t.match(await dry(), { status: 'drift', keys: ['saved', 'running', 'boot'], trips: 2 })
  t.equal((await host.exec('ls ~/.pm2/modules/pm2-logrotate', { mayFail: true })).code, 2, 'a dry run installs nothing')
  t.match(await run(), { status: 'changed', error: null })
  t.match(await runningSettings(), { max_size: '10M', retain: '7' })
  t.equal(await appPid(), pid, 'the app was not restarted')
  await isInSync(t)
})

t.test('drift in each layer is found in its layer, and mended', async t => {
  const cases: [string, string[]][] = [
    [`sed -i 's/"7"/"99"/' ${conf}`, ['saved']],
    ['pm2 set pm2-logrotate:max_size 1M', ['saved', 'running']],
    [`cp ${conf} /tmp/conf; pm2 set pm2-logrotate:retain 3; cp /tmp/conf ${conf}`, ['running']],
    ['pm2 stop pm2-logrotate', ['running']],
    ['pm2 delete pm2-logrotate', ['running']],
    ['rm -rf ~/.pm2/modules/pm2-logrotate', ['boot']],
    ['pm2 uninstall pm2-logrotate', ['running', 'boot']],
  ]
  for (const [command, keys] of cases) {
    await host.exec(command)
    t.match(await dry(), { status: 'drift', keys }, command)
    t.match(await run(), { status: 'changed', error: null }, `${command}: mended`)
    t.match(await runningSettings(), { max_size: '10M', retain: '7' })
    await isInSync(t)
  }
})

t.test('logs are rotated, the app still logs, 7 are kept', async t => {
  const params: Params = { ...guide, max_size: '1K', workerInterval: 1 }
  t.match(await run(params), { status: 'changed', error: null })
  const log = (await host.output('ls ~/.pm2/logs/sak-whatsapp-api-out*.log')).split('\n')[0] ?? ''
  const count = `ls ${log.replace(/\.log$/, '')}__*.log | wc -l`
  for (let turn = 0; turn < 9; turn += 1) {
    // names go by the second
    await host.exec(`sleep 1.1; head -c 2000 /dev/zero | tr '\\0' x >> ${log}`)
    t.equal(await soon(`stat -c %s ${log}`, '0'), '0', 'the log was emptied in place')
  }
  t.equal(await soon(count, '7'), '7')
  t.match(await run(), { status: 'changed', error: null })
})

t.test('a setting that cannot be had is refused', async t => {
  t.match(await dry({ ...guide, compress: true }), { status: 'blocked', error: { message: /never compresses/ } })
})

t.test('no daemon: looking starts none, applying starts its unit', async t => {
  // The unit's own `pm2 kill`, which follows, starts a daemon for a moment.
  await host.exec('pm2 save; pm2 kill; while systemctl is-active pm2-ubuntu | grep -q activating; do sleep 0.2; done')
  t.match(await dry(), { status: 'drift', keys: ['running'] })
  t.equal((await host.exec('pgrep -f "God Daemon"', { mayFail: true })).code, 1, 'no daemon was started')
  t.match(await run(), { status: 'changed', error: null })
  t.equal(await host.output('systemctl is-active pm2-ubuntu'), 'active')
  await isInSync(t)
})

t.test('all of it is there after a reboot', async t => {
  await host.reboot()
  t.match(await runningSettings(), { max_size: '10M', retain: '7' })
  await isInSync(t)
})
