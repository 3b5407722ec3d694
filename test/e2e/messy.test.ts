/**
 * The main job on a machine on which people have worked by hand for years (messy-host.sh): what stands in the way is named,
 * and nothing is written, until `overrides: 'remove'` allows more. Then one run brings the host to the t3.small state, what
 * people wrote beside stays byte for byte, and all of it survives a reboot.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Report, reconcile } from 'sak-reconcile'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import t, { type Test } from 'tap'
import { textReport } from '../../src/reports/text.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('full')
t.teardown(stop)

const root = { root: true } as const
const config = join(t.testdir({}), 'ssh_config')
await writeFile(config, `UserKnownHostsFile ${host.knownHostsPath}\n`)
const options = { inventory: inventoryOf([host]), connect: { sshConfigPath: config } }
const allowed = t3Small({ overrides: 'remove', pm2: { takeOver: true } })
const dryRun = (playbook = allowed) => reconcile({ ...options, playbook, dryRun: true })

await host.exec('bash -s', {
  ...root,
  stdin: await readFile(new URL('./messy-host.sh', import.meta.url), 'utf8'),
  timeoutMs: 600_000,
})

/** Every file that somebody may have had a hand in, where it is a link its target too. */
const files = {
  fstab: '/etc/fstab',
  sysctl: '/etc/sysctl.d/99-zz-tuning.conf',
  sysctlConf: '/etc/sysctl.conf',
  pgtune: '/etc/postgresql/15/main/conf.d/99-pgtune.conf',
  autoConf: '/var/lib/postgresql/15/main/postgresql.auto.conf',
  postgresql: '/etc/postgresql/15/main/postgresql.conf',
  tuning: '/etc/nginx/conf.d/tuning.conf',
  site: '/etc/nginx/sites-available/api',
  nginx: '/etc/nginx/nginx.conf',
  logrotate: '/etc/logrotate.d/api',
  logrotateConf: '/etc/logrotate.conf',
  ecosystem: '/var/www/sak-whatsapp-api/ecosystem.config.js',
  unit: '/etc/systemd/system/pm2-ubuntu.service',
  pm2Modules: '/home/ubuntu/.pm2/module_conf.json',
} as const
type Name = keyof typeof files

const read = async (path: string) => (await host.exec(`cat ${path}`, root)).stdout

async function readAll(): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>()
  for (const [name, path] of Object.entries(files)) contents.set(name, await read(path))
  return contents
}

/** All that the playbook manages, with names, modes, owners and times, and what runs. */
const traces = () =>
  host.output(
    `find /swapfile /etc /var/lib/postgresql/15/main/postgresql.auto.conf /home/ubuntu/.pm2/*.* /var/www -type f,l,s \\
       -printf '%p %M %u %g %T@ %s %l\\n' | sort | grep -vE '/logs/|/pm2\\.log '
     cat /proc/swaps; sysctl -n vm.swappiness vm.vfs_cache_pressure; pgrep -f '^(nginx: worker|node /var/www)'; systemctl show -p MainPID nginx postgresql@15-main`,
    root,
  )

const textOf = ({ hosts }: Report) => {
  const parts: string[] = []
  const { onEvent } = textReport({ color: false, verbose: true, write: text => void parts.push(text) })
  for (const report of hosts) onEvent({ type: 'host', report })
  return parts.join('')
}

function exitCodeIs(t: Test, report: Report, expected: number, message: string) {
  if (report.exitCode !== expected) t.comment(textOf(report))
  t.equal(report.exitCode, expected, message)
}

async function isInSync(t: Test, message: string) {
  const report = await dryRun()
  exitCodeIs(t, report, 0, message)
  t.ok((report.hosts[0]?.roundTrips ?? 99) <= 2, 'in at most two round trips')
}

/** Through nginx, by each location; keepalive or not, the app's answer must be whole. */
async function answersThroughNginx(t: Test) {
  for (const path of ['/hello', '/socket.io/?transport=polling']) {
    t.match(await host.output(`curl -sS --max-time 20 'http://localhost${path}'`), `"url":"${path}"`, path)
  }
  const upgraded = await host.output(
    'curl -sS --max-time 20 -o /dev/null -w "%{http_code}" -H "Connection: Upgrade" -H "Upgrade: websocket" http://localhost/socket.io/',
  )
  t.equal(upgraded, '200', 'the app, which knows no WebSockets, got the request')
}

const before = await readAll()
let applied = before

t.test('what stands in the way is named with its place, and nothing is written', async t => {
  const untouched = await traces()
  const report = await dryRun(t3Small())
  exitCodeIs(t, report, 6, 'a dry run is blocked')
  const reasons = (label: string) =>
    (report.hosts[0]?.tasks ?? [])
      .filter(task => task.label === label && task.status === 'blocked')
      .map(({ error }) => [error?.code, error?.message].join(' '))
      .join('\n')
  const named: [string, RegExp[]][] = [
    [
      'sysctl',
      [
        /99-zz-tuning\.conf:3 sets vm\.swappiness = 100/,
        /sysctl\.conf:\d+ \(through .*99-sysctl\.conf\) sets vm\.vfs_cache_pressure = 200/,
      ],
    ],
    [
      'pgconf',
      [
        /99-pgtune\.conf line 4 sets max_connections to 20/,
        /99-pgtune\.conf line 2 sets work_mem to 64MB/,
        /ALTER SYSTEM sets random_page_cost to 4/,
        /ALTER SYSTEM sets shared_buffers to 64MB/,
        /database api sets maintenance_work_mem to 256MB/,
        /role api sets work_mem to 32MB/,
      ],
    ],
    ['pm2eco', [/ecosystem\.config\.js was written by hand/, /variables that are not listed: API_TOKEN, DEBUG/]],
    [
      'nginxconf',
      [
        /tuning\.conf:7 has `keepalive_timeout {3}5s {2}4`/,
        /tuning\.conf:8 has `client_max_body_size 1m`/,
        /tuning\.conf:5 has `gzip_min_length 256`/,
        /sites-enabled\/api:7 has another upstream "backend"/,
        /sites-enabled\/api:17: .* drops the inherited `Connection ""`/,
      ],
    ],
    [
      'logrotate',
      [
        /logrotate\.d\/api:2 rotates \/var\/www\/sak-whatsapp-api\/logs\/\*\.log too/,
        /pm2-logrotate, .* rotates \/var\/www\/sak-whatsapp-api\/logs\/out\.log too/,
      ],
    ],
  ]
  for (const [label, patterns] of named) {
    for (const pattern of patterns) t.match(reasons(label), pattern)
  }
  const refused = await reconcile({ ...options, playbook: t3Small(), tags: named.map(([label]) => label) })
  exitCodeIs(t, refused, 4, 'so is an apply of these, of which nothing is left as mere drift')
  t.equal(await traces(), untouched, 'neither wrote anything')
})

t.test('one run brings it to the t3.small state', async t => {
  const report = await reconcile({ ...options, playbook: allowed })
  exitCodeIs(t, report, 0, 'applied')
  await isInSync(t, 'and then the host is in sync')

  t.match(await read('/proc/swaps'), /^\/swapfile +file\s+2097148\s/m)
  t.equal(await host.output('stat -c "%a %U" /swapfile'), '600 root')
  t.equal(await host.output('sysctl -n vm.swappiness vm.vfs_cache_pressure', root), '10\n50')
  const sql =
    "SELECT string_agg(current_setting(n), ' ') FROM unnest(ARRAY['shared_buffers','max_connections','work_mem','random_page_cost']) n"
  t.equal(await host.output(`cd /; psql -XAtc "${sql}"`, { as: 'postgres' }), '128MB 50 2MB 1.1')
  await answersThroughNginx(t)
})

t.test('what is not in the way keeps every byte', async t => {
  const after = await readAll()
  applied = after
  for (const name of ['fstab', 'postgresql', 'nginx', 'logrotateConf'] as const) {
    t.equal(after.get(name), before.get(name), `${files[name]} is as it was`)
  }
  const was = (name: Name) => before.get(name) ?? ''
  /** As it was, but for these lines. */
  const differsBy = (name: Name, ...edits: [string, string][]) => {
    const wanted = edits.reduce((text, [from, to]) => text.replace(from, () => to), was(name))
    t.equal(after.get(name), wanted, `${files[name]}: only what was in the way`)
  }
  differsBy('sysctl', ['vm.swappiness=100', '# vm.swappiness=100'])
  differsBy('sysctlConf', ['vm/vfs_cache_pressure', '# vm/vfs_cache_pressure'])
  differsBy('pgtune', ['work_mem', '#work_mem'], ['max_connections', '#max_connections'])
  differsBy('autoConf', ["shared_buffers = '64MB'\n", ''], ["random_page_cost = '4'\n", ''])
  differsBy(
    'tuning',
    ['gzip_min_length 256', 'gzip_min_length 1024'],
    ['   5s  4;', '   65;'],
    ['client_max_body_size 1m', 'client_max_body_size 10m'],
  )
  differsBy(
    'site',
    ['server 127.0.0.1:5000 max_fails=0; # the API\n', 'server localhost:5000; # the API\n    keepalive 32;\n'],
    ['    location / {\n', '    location / {\n        proxy_set_header Connection "";\n'],
  )
  const stanza = was('logrotate').slice(was('logrotate').indexOf('/var/www'), was('logrotate').indexOf('\n/srv'))
  differsBy('logrotate', [stanza, ''])
  differsBy('pm2Modules', ['"1G"', '"10M"'], ['"all"', '"7"'], ['"YYYY-MM-DD"', '"YYYY-MM-DD_HH-mm-ss"'])
  t.equal(await host.output('readlink /etc/nginx/sites-enabled/api'), '../sites-available/api', 'a link stays one')
  const kept = 'SELECT setconfig FROM pg_db_role_setting ORDER BY setrole'
  t.equal(
    await host.output(`cd /; psql -XAtc '${kept}'`, { as: 'postgres' }),
    '{"search_path=api, public"}\n{statement_timeout=30s}',
    'other settings of the role and the database',
  )
  t.match(await read('/proc/swaps'), /^\/var\/old\.swap +file\s+32764\s+0\s+3$/m, 'the other swap file is in use')
  t.equal(await host.output('sysctl -n net.core.somaxconn kernel.panic', root), '1024\n10')
})

t.test('it stays there over a reboot', async t => {
  await host.reboot()
  await isInSync(t, 'after the reboot the host is in sync')
  await answersThroughNginx(t)
  t.match(await read('/proc/swaps'), /^\/swapfile +file\s+2097148\s/m)
  t.match(await read('/proc/swaps'), /^\/var\/old\.swap /m)
  t.equal(await host.output('systemctl is-active pm2-ubuntu'), 'active', 'PM2 was brought back by its unit')
  t.same(await readAll(), applied, 'and nobody wrote anything')
})
