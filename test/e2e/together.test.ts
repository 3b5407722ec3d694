/** Tasks that go together on a real host: one restart of PostgreSQL and one reload of nginx for all, and all or nothing. */
import { defineModule, definePlaybook, file, reconcile, service, together, waitFor, write } from 'sak-reconcile'
import { nginxconf, pgconf } from 'sak-reconcile/modules'
import t from 'tap'
import { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)
const root = { root: true } as const

/** Another file of a PostgreSQL cluster, after which its server is to be activated. */
const include = defineModule({
  name: 'include',
  description: 'Keeps a file of PostgreSQL that takes a reload.',
  params: z.strictObject({ path: z.string(), content: z.string() }),
  impact: 'reload',
  owns: ({ path }) => [path],
  check: async (host, { path, content }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: file(path, content) },
  }),
  apply: ({ saved }) => [
    saved && write(saved.after),
    service('postgresql@15-main', 'reload'),
    waitFor(['systemctl', 'is-active', '--quiet', 'postgresql@15-main']),
  ],
})

const proxy = '/etc/nginx/conf.d/61-proxy.conf'
const hba = '/etc/postgresql/15/main/conf.d/61-log.conf'
const tasks = (timeout: string) =>
  together([
    pgconf({ settings: { work_mem: '3MB', max_connections: 60 } }),
    nginxconf({
      http: { keepalive_timeout: 65 },
      upstreams: { backend: { servers: ['localhost:5000'], keepalive: 8 } },
    }),
    include({ path: hba, content: "log_line_prefix = '%m '\n" }),
    nginxconf({ http: { proxy_read_timeout: timeout }, path: proxy }, { label: 'proxy' }),
  ])

async function run(timeout: string, dryRun = false) {
  const playbook = definePlaybook({ name: 'both', tasks: () => tasks(timeout) })
  const connect = { sshConfigPath: 'none', hostKeyChecking: 'off' } as const
  const report = await reconcile({ playbook, inventory: inventoryOf([host]), dryRun, connect })
  if (!report.hosts[0]?.tasks.length) throw new Error(JSON.stringify(report.hosts))
  return report.hosts[0].tasks
}

/** What systemd was told to do since the journal was last asked: how often each unit was reloaded or restarted. */
async function activations(since: string) {
  const said = await host.output(
    `journalctl -q -o cat --since=@${since} -u nginx.service -u postgresql@15-main.service | grep -E '^(Reloading|Stopping|Reloaded)' || true`,
    root,
  )
  const count = (pattern: RegExp) => said.split('\n').filter(line => pattern.test(line)).length
  return {
    nginx: count(/^Reloading nginx/),
    postgresql: count(/^Stopping postgresql@15/),
    reloads: count(/^Reloading postgresql@15/),
  }
}
const now = async () => {
  await host.exec('sleep 1')
  return host.output('date +%s')
}
const workers = () => host.output('pgrep -f "^nginx: worker process$" | sort | xargs')
const there = async () =>
  (await host.exec(`ls ${proxy} ${hba} /etc/nginx/conf.d/60-sak.conf`, { ...root, mayFail: true })).stdout

t.test('a bad file of one undoes all, before any service was touched', async t => {
  const since = await now()
  const before = await workers()
  const result = await run('never')
  t.match(result, [
    { status: 'failed', error: { code: 'together', message: /undone together with .*proxy/, rollback: 'done' } },
    { label: 'nginxconf', status: 'failed' },
    { label: 'include', status: 'failed', error: { code: 'together' } },
    { label: 'proxy', status: 'failed', error: { said: /proxy_read_timeout/ } },
  ])
  t.equal(await there(), '')
  t.equal(await workers(), before)
  t.same(await activations(since), { nginx: 0, postgresql: 0, reloads: 0 })
})

t.test('each service is activated once, by the greatest action', async t => {
  const planned = await run('30s', true)
  t.match(planned, [
    { status: 'drift', impact: 'restart' },
    { status: 'drift' },
    { status: 'drift', impact: 'restart' },
    { status: 'drift' },
  ])
  const since = await now()
  const applied = await run('30s')
  t.same(
    applied.map(({ status, error }) => [status, error]),
    planned.map(() => ['changed', null]),
  )
  t.same(
    applied.map(({ steps }) => steps),
    planned.map(({ steps }) => steps),
    'as the dry run said',
  )
  t.same(await activations(since), { nginx: 1, postgresql: 1, reloads: 0 })
  t.same(
    (await run('30s', true)).map(({ status }) => status),
    ['ok', 'ok', 'ok', 'ok'],
  )
  t.match(
    await host.output('nginx -T 2>/dev/null | grep -E "proxy_read_timeout|keepalive 8"', root),
    /keepalive 8;[\s\S]*30s/,
  )
  t.equal(await host.output('cd /; psql -XAtc "SHOW max_connections"', { as: 'postgres' }), '60')
})
