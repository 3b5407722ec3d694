/** Drift detection on a real host whose file system is watched: of what it does nothing stays but logs and records of logins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { sak } from '../cli/sak.ts'
import { inventoryOf, startHost } from './harness.ts'

const records = [
  '/var/log/*',
  '/run',
  '/run/*',
  '/proc/*',
  '/sys/*',
  '/dev/*',
  '/home/ubuntu/.pm2/logs/*',
  '/var/www/*/logs/*',
]

t.test('drift leaves a host as it is', async t => {
  const { host, stop } = await startHost('light')
  t.teardown(stop)
  const cwd = mkdtempSync(join(tmpdir(), 'sak-reads-'))
  t.teardown(() => rmSync(cwd, { recursive: true }))
  const inventory = inventoryOf([host])
  writeFileSync(join(cwd, 'hosts.json'), JSON.stringify(inventory))
  writeFileSync(join(cwd, 'sak.config.json'), JSON.stringify({ playbook: 't3-small', inventory: './hosts.json' }))
  const changed = async () => {
    const leaveOut = records.map(path => `-not -path '${path}'`).join(' ')
    return host.output(`find / -xdev -newercm /var/log/mark ${leaveOut} | sort`, { root: true })
  }
  const mark = () => host.exec('touch /var/log/mark; sleep 0.1', { root: true })
  // the first connection after its start makes PostgreSQL write a cache of its own, whoever connects
  await host.exec('psql -c "select * from pg_settings"', { as: 'postgres' })
  await mark()
  const { code, stderr } = await sak(['drift', '--host-key-checking', 'accept-new'], { cwd })
  t.ok(code !== null && (code & 2) === 2, `the stock host drifts: ${code} ${stderr}`)
  t.equal(await changed(), '')
  await host.exec('touch /etc/sak-test', { root: true })
  t.equal(await changed(), '/etc\n/etc/sak-test', 'a change is seen')
})
