import { definePlaybook, type Impact, reconcile } from 'sak-reconcile'
import { pm2eco } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

type Input = z.input<typeof pm2eco.params>
type AppInput = Input['apps'][number]

const folder = '/var/www/sak-whatsapp-api'
const path = `${folder}/ecosystem.config.js`
const guide = {
  name: 'sak-whatsapp-api',
  script: 'server.js',
  cwd: folder,
  max_memory_restart: '850M',
  env: { NODE_ENV: 'production', PORT: 5000, NODE_OPTIONS: '--max-old-space-size=1024' },
  kill_timeout: 5000,
  listen_timeout: '10s',
  min_uptime: '3s',
  max_restarts: 10,
  out_file: `${folder}/logs/out.log`,
  error_file: `${folder}/logs/error.log`,
} satisfies AppInput

const withApp = (app: Partial<AppInput>): Input => ({ apps: [{ ...guide, ...app }] })

async function run(
  params: Input,
  options: { dryRun?: boolean; allow?: Impact; become?: boolean; login?: string } = {},
) {
  const playbook = definePlaybook({ name: 'pm2', tasks: () => [pm2eco(params)] })
  const inventory = inventoryOf([host])
  for (const each of Object.values(inventory.hosts)) {
    each.become = options.become ?? true
    each.user = options.login ?? each.user
  }
  const report = await reconcile({
    playbook,
    inventory,
    dryRun: options.dryRun ?? false,
    ...(options.allow && { allow: options.allow }),
    allowOverBudget: true, // the memory of these hosts is not the point
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [task] = report.hosts[0]?.tasks ?? []
  if (!task) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...task, keys: task.changes.map(change => change.key), trips: report.hosts[0]?.roundTrips }
}

const dry = (params: Input) => run(params, { dryRun: true })

async function isInSync(t: Test, params: Input, message = 'a second look finds nothing to do') {
  t.match(await dry(params), { status: 'ok', keys: [], trips: 2 }, message)
}

async function converges(t: Test, params: Input) {
  t.match(await run(params), { status: 'changed', error: null })
  await isInSync(t, params)
}

const Listed = z.array(
  z.object({
    name: z.string(),
    pid: z.number(),
    pm2_env: z.looseObject({ status: z.string(), restart_time: z.number() }),
  }),
)

/** What PM2 itself says runs, asked by hand. */
async function processes(name = guide.name) {
  const listed = Listed.parse(JSON.parse(await host.output('pm2 jlist')))
  return listed.filter(each => each.name === name).map(({ pid, pm2_env: env }) => ({ pid, ...env }))
}

async function pidsOf(name?: string) {
  return (await processes(name)).map(({ pid }) => pid)
}

/** The environment of the app's process, as the kernel has it. */
async function environment(): Promise<Record<string, string>> {
  const lines = (await host.output(`tr '\\0' '\\n' </proc/${(await pidsOf())[0]}/environ`)).split('\n')
  return Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

const fingerprint = () => host.output(`md5sum ${path} ~/.pm2/dump.pm2; stat -c %a:%U:%G ${path}`)

t.test('looking at a host where no daemon runs starts none, and writes nothing', async t => {
  await host.exec('systemctl stop pm2-ubuntu', { root: true })
  const before = await host.output('ls -la --time-style=full-iso ~/.pm2')
  t.match(await dry({ apps: [guide] }), { status: 'drift', keys: ['saved', 'running', 'boot'], trips: 2 })
  t.equal(await host.output('ls -la --time-style=full-iso ~/.pm2'), before)
  t.equal(await host.output('pgrep -c "^PM2 " || true'), '0')
  await host.exec('systemctl start pm2-ubuntu', { root: true })
})

t.test('an app started by hand gets its file, its limits and its place after a boot, in one run', async t => {
  t.match(await dry({ apps: [guide] }), { status: 'drift', keys: ['saved', 'running', 'boot'], trips: 2 })
  t.equal((await host.exec(`test -e ${path}`, { mayFail: true })).code, 1, 'a dry run writes nothing')
  t.match(await run({ apps: [guide] }, { allow: 'reload' }), { status: 'pending' }, 'it needs a restart')
  await converges(t, { apps: [guide] })
  t.match(await processes(), [{ status: 'online', max_memory_restart: 850 * 1024 ** 2, kill_timeout: 5000 }])
  t.match(await host.output('curl -s localhost:5000'), /"nodeOptions":"--max-old-space-size=1024"/)
  const env = await environment()
  t.match(env, { NODE_ENV: 'production', PORT: '5000', HOME: '/home/ubuntu' })
  const leaked = Object.keys(env).filter(name => /^(SSH_|SUDO_|XDG_|LC_ALL.)/.test(name))
  t.same(leaked, [], 'nothing of a session leaks into the app')
  t.equal(await host.output(`node -p 'require("${path}").apps[0].name'`), guide.name, 'it is valid JavaScript')
})

t.test('it is there after a reboot', async t => {
  await host.reboot()
  await isInSync(t, { apps: [guide] })
  t.match(await host.output('curl -s localhost:5000'), /"nodeOptions":"--max-old-space-size=1024"/)
})

t.test('every drift is found in its layer, and mended by what disturbs least', async t => {
  const name = guide.name
  const drifts: [string, string, string[], boolean][] = [
    ['a value of the file', `sed -i s/850M/700M/ ${path}`, ['saved'], true],
    ['the mode of the file', `chmod 666 ${path}`, ['saved'], true],
    ['the memory limit of the process', `pm2 restart ${name} --max-memory-restart 500M`, ['running'], false],
    ['a variable of the process', `NODE_ENV=staging pm2 restart ${name} --update-env`, ['running'], false],
    ['one more variable', `FOO=bar pm2 restart ${name} --update-env`, ['running'], false],
    ['the process stopped', `pm2 stop ${name}`, ['running'], false],
    ['the process deleted', `pm2 delete ${name}`, ['running'], false],
    ['the daemon ended', 'pm2 kill', ['running'], false],
    ['the list for the next boot gone', 'rm ~/.pm2/dump.pm2', ['boot'], true],
    ['the list for the next boot broken', 'echo nonsense >~/.pm2/dump.pm2', ['boot'], true],
    ['the boot unit disabled', 'sudo systemctl disable pm2-ubuntu', ['boot'], true],
    [
      'the boot unit gone',
      'sudo systemctl disable pm2-ubuntu; sudo rm /etc/systemd/system/pm2-ubuntu.service',
      ['boot'],
      true,
    ],
  ]
  for (const [what, command, keys, undisturbed] of drifts) {
    await host.exec(command)
    // asking PM2 would start a daemon where none is
    const before = undisturbed ? await pidsOf() : []
    t.match(await dry({ apps: [guide] }), { status: 'drift', keys }, `${what}: found in ${keys}`)
    t.match(await run({ apps: [guide] }), { status: 'changed', error: null }, `${what}: mended`)
    if (undisturbed) t.same(await pidsOf(), before, `${what}: the app never noticed`)
  }
  await isInSync(t, { apps: [guide] })
})

t.test('a variable that is taken out of the params is taken out of the process', async t => {
  await converges(t, withApp({ env: { ...guide.env, EXTRA: 'yes' } }))
  t.match(await environment(), { EXTRA: 'yes' })
  await converges(t, { apps: [guide] })
  t.notOk('EXTRA' in (await environment()))
  t.notMatch(await host.output('cat ~/.pm2/dump.pm2'), /EXTRA/, 'nor would it come back at boot')
})

t.test('a change that the app does not survive is taken back: the file, the list and the process', async t => {
  const before = await fingerprint()
  const changes: [string, Input][] = [
    ['Node does not start', withApp({ env: { ...guide.env, NODE_OPTIONS: '--no-such-option' } })],
    ['it needs a recreation, and then does not start', withApp({ script: 'logs' })],
    [
      'it does not answer as it must',
      {
        ...withApp({ max_memory_restart: '800M' }),
        health: { [guide.name]: { url: 'http://127.0.0.1:5000/', status: 204, within: '1s' } },
      },
    ],
  ]
  await host.exec(`mkdir -p ${folder}/logs`)
  for (const [what, params] of changes) {
    const started = Date.now()
    t.match(await run(params), { status: 'failed', error: { code: 'step-failed', rollback: 'done' } }, what)
    t.comment(`${what}: ${Date.now() - started} ms`)
    t.equal(await fingerprint(), before, `${what}: file and list, byte for byte`)
    t.match(await processes(), [{ status: 'online', max_memory_restart: 850 * 1024 ** 2 }], `${what}: it runs`)
  }
  await isInSync(t, { apps: [guide] })
})

t.test('cluster mode: reloads lose no request, instances are counted, a change of mode recreates', async t => {
  const { NODE_OPTIONS: _, ...env } = guide.env
  const cluster = (app: Partial<AppInput>) =>
    withApp({ exec_mode: 'cluster', instances: 2, env, node_args: ['--max-old-space-size=512'], ...app })
  await converges(t, cluster({}))
  t.match(await processes(), [{ exec_mode: 'cluster_mode' }, { exec_mode: 'cluster_mode' }])
  const load = host.output(
    'i=0; while [ $i -lt 300 ]; do curl -s -m 3 -o /dev/null -w "%{http_code}\\n" localhost:5000; sleep 0.03; i=$((i+1)); done | sort | uniq -c',
  )
  t.match(
    await run(cluster({ max_memory_restart: '600M' }), { allow: 'reload' }),
    { status: 'changed' },
    'only a reload',
  )
  t.match(await load, /^ *300 200$/, 'every request was answered')
  const before = await pidsOf()
  await converges(t, cluster({ max_memory_restart: '600M', instances: 3 }))
  t.same((await pidsOf()).slice(0, 2), before, 'one more, and the others go on')
  await host.exec(`pm2 scale ${guide.name} 2`)
  t.match(await dry(cluster({ max_memory_restart: '600M', instances: 3 })), { status: 'drift', keys: ['running'] })
  await converges(t, { apps: [guide] })
  t.match(await processes(), [{ exec_mode: 'fork_mode' }])
})

t.test('what was set up by hand is refused without consent', async t => {
  await host.exec(`printf 'module.exports = { apps: [] }\\n' >${path}`)
  t.match(await run({ apps: [guide] }), { status: 'blocked', keys: ['saved'], error: { code: 'refused' } })
  t.equal(await host.output(`cat ${path}`), 'module.exports = { apps: [] }')
  await converges(t, { apps: [guide], takeOver: true })
})

t.test('apps that are not listed go on, unless they are to be stopped', async t => {
  await host.exec(`cd ${folder} && PORT=5999 pm2 start server.js --name other && pm2 save`)
  await isInSync(t, { apps: [guide] })
  await converges(t, { apps: [guide], unlisted: 'stop' })
  t.match(await processes('other'), [{ status: 'stopped' }], 'stopped, and still to be had')
  await host.exec('pm2 delete other && pm2 save')
})

t.test('the user itself applies without root, and another user is told what needs root', async t => {
  t.match(await run(withApp({ max_memory_restart: '800M' }), { become: false }), { status: 'changed' })
  t.match(await run({ apps: [guide] }, { become: false }), { status: 'changed' })
  const other = await run({ apps: [guide] }, { dryRun: true, become: false, login: 'admin' })
  t.match(other, { status: 'blocked', error: { code: 'needs-root' } })
})

t.test('the log files that the app writes are those that it was given', async t => {
  await host.exec('curl -s localhost:5000')
  t.match(await host.output(`ls ${folder}/logs`), /^error\.log\nout\.log$/m)
})
