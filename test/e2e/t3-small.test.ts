/**
 * The main job on a real machine: one run brings a stock host to the t3.small state, it stays there over a reboot, and whatever
 * somebody then changes by hand is found in the layer where it was changed, and mended.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Report, reconcile } from 'sak-reconcile'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import t, { type Test } from 'tap'
import { adopt } from '../../src/adopt.ts'
import { builtInModules } from '../../src/loading/modules.ts'
import { textReport } from '../../src/reports/text.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('full')
t.teardown(stop)

const config = join(t.testdir({}), 'ssh_config')
await writeFile(config, `UserKnownHostsFile ${host.knownHostsPath}\n`)
const playbook = t3Small({ overrides: 'remove' })
const options = { playbook, inventory: inventoryOf([host]), connect: { sshConfigPath: config } }
const dryRun = () => reconcile({ ...options, dryRun: true })
const apply = () => reconcile(options)
const root = { root: true } as const

/** What is not in sync: `task key`. */
const differences = ({ hosts }: Report) =>
  [
    ...new Set(
      hosts.flatMap(each => each.tasks.flatMap(task => task.changes.map(({ key }) => `${task.label} ${key}`))),
    ),
  ].sort()

/** Holds a report's exit code against what is expected; where it is another, tells what was found. */
function exitCodeIs(t: Test, report: Report, expected: number, message: string) {
  if (report.exitCode !== expected) t.comment(textOf(report))
  t.equal(report.exitCode, expected, message)
}

function textOf({ hosts }: Report): string {
  const parts: string[] = []
  const { onEvent } = textReport({ color: false, verbose: true, write: text => void parts.push(text) })
  for (const report of hosts) onEvent({ type: 'host', report })
  return parts.join('')
}

async function isInSync(t: Test, message: string) {
  const report = await dryRun()
  exitCodeIs(t, report, 0, message)
  t.same(differences(report), [])
  t.ok((report.hosts[0]?.roundTrips ?? 99) <= 2, 'in at most two round trips')
}

async function isApplied(t: Test) {
  const report = await apply()
  exitCodeIs(t, report, 0, 'an apply mends it')
  return report
}

/** What a dry run found differing, and that it could judge everything. */
async function isFound(t: Test, expected: readonly string[]) {
  const report = await dryRun()
  exitCodeIs(t, report, 2, 'a dry run finds drift and nothing worse')
  t.same(differences(report), expected, 'each in its layer')
}

t.test('one run brings a stock host to the t3.small state', async t => {
  const before = await dryRun()
  exitCodeIs(t, before, 2, 'a stock host differs')
  const report = await isApplied(t)
  const steps = (from: Report) => from.hosts[0]?.tasks.map(task => [task.label, task.steps])
  t.same(steps(report), steps(before), 'apply did what the dry run said')
  await isInSync(t, 'and then the host is in sync')

  t.match(await host.output('swapon --show=NAME,SIZE --noheadings', root), /\/swapfile +2G/)
  t.equal(await host.output('sysctl -n vm.swappiness vm.vfs_cache_pressure', root), '10\n50')
  const sql =
    "SELECT string_agg(current_setting(n), ' ') FROM unnest(ARRAY['shared_buffers','max_connections','work_mem']) n"
  t.equal(await host.output(`cd /; psql -XAtc "${sql}"`, { as: 'postgres' }), '128MB 50 2MB')
  const list = await host.output('pm2 jlist', { as: 'ubuntu' })
  t.match(list, /"NODE_OPTIONS":"--max-old-space-size=1024"/)
  t.match(list, /"max_memory_restart":891289600/)
  t.match(
    await host.output('nginx -T 2>/dev/null', root),
    /upstream backend \{\n +server localhost:5000;\n +keepalive 32;/,
  )
  t.match(await host.output('cat /etc/logrotate.d/sak'), /daily\n +rotate 7\n/)
  t.match(await host.output('curl -s localhost:5000'), /\{/, 'and the app answers')
})

t.test('a playbook that is written from the host keeps all of it', async t => {
  const { playbook: adopted } = await adopt({ ...options, dryRun: true }, [...(await builtInModules()).values()])
  const tasks = [...(adopted?.code.matchAll(/^ {4}(\w+)\(/gm) ?? [])].map(([, module]) => module)
  t.same(
    tasks.sort(),
    // service: pm2-ubuntu; user: the two of the image
    [
      ...['logrotate', 'nginxconf', 'pgconf', 'pm2eco', 'pm2logrotate'],
      ...['service', 'swapfile', 'sysctl', 'user', 'user'],
    ],
    adopted?.code ?? 'none',
  )
})

t.test('it stays there over a reboot', async t => {
  await host.reboot()
  await isInSync(t, 'after the reboot the host is in sync')
})

t.test('a change of each file is found as saved, and mended', async t => {
  await host.exec(
    `sed -i s/swappiness.*/swappiness=60/ /etc/sysctl.d/60-sak.conf
     sed -i 's/^work_mem.*/work_mem = 8MB/' /etc/postgresql/15/main/conf.d/60-sak.conf
     sed -i s/100/50/ /etc/nginx/conf.d/60-sak.conf
     sed -i s/850M/400M/ /var/www/sak-whatsapp-api/ecosystem.config.js
     sed -i s/daily/weekly/ /etc/logrotate.d/sak
     sed -i /swapfile/d /etc/fstab`,
    root,
  )
  const report = await dryRun()
  for (const label of ['swapfile', 'sysctl', 'pgconf', 'nginxconf', 'pm2eco', 'logrotate']) {
    t.ok(differences(report).includes(`${label} saved`), label)
  }
  await isApplied(t)
  await isInSync(t, 'and all is well')
})

t.test('a change behind a file is found as running, and mended', async t => {
  await host.exec(
    `sysctl -qw vm.swappiness=60
     swapoff /swapfile
     f=/etc/postgresql/15/main/conf.d/60-sak.conf; cp -p $f /tmp/f
     sed -i 's/^work_mem.*/work_mem = 8MB/' $f; systemctl reload postgresql@15-main; sleep 2; cp -p /tmp/f $f
     f=/etc/nginx/conf.d/60-sak.conf; cp -p $f /tmp/f
     sed -i s/100/50/ $f; systemctl reload nginx; sleep 2; cp -p /tmp/f $f`,
    root,
  )
  await host.exec(
    'cd /var/www/sak-whatsapp-api; pm2 delete sak-whatsapp-api; NODE_OPTIONS=--max-old-space-size=512 pm2 start ecosystem.config.js --update-env; pm2 delete sak-whatsapp-api; NODE_OPTIONS=--max-old-space-size=512 PORT=5000 pm2 start server.js --name sak-whatsapp-api',
    { as: 'ubuntu' },
  )
  const expected = ['nginxconf running', 'pgconf running', 'pm2eco running', 'swapfile running', 'sysctl running']
  await isFound(t, expected)
  await isApplied(t)
  await isInSync(t, 'and all is well')
})

t.test('what others set against us is found, and removed where that was asked for', async t => {
  await host.exec(
    `printf 'vm.swappiness = 90\\n' >/etc/sysctl.d/99-later.conf; systemctl disable --now logrotate.timer`,
    root,
  )
  await host.exec(`cd /; psql -qc "ALTER SYSTEM SET work_mem = '64MB'"`, { as: 'postgres' })
  const reporting = await reconcile({ ...options, playbook: t3Small(), dryRun: true })
  const blocked = reporting.hosts[0]?.tasks.filter(task => task.status === 'blocked') ?? []
  t.match(
    blocked.map(task => [task.label, task.error]),
    [
      ['sysctl', { code: 'override', message: /99-later\.conf/, hint: String }],
      ['pgconf', { code: 'override', message: /ALTER SYSTEM|auto\.conf/, hint: String }],
    ],
    'reported with their place unless they are to be removed',
  )
  await isFound(t, ['logrotate boot', 'logrotate running', 'pgconf overrides', 'sysctl boot'])
  await isApplied(t)
  await isInSync(t, 'and all is well')
})
