import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { inventoryOf, startHosts, type TestHost, type Tier } from './harness.ts'

const { hosts, stop } = await startHosts({ full: 1, light: 1 })
t.teardown(stop)

function hostOf(tier: Tier): TestHost {
  const host = hosts.find(host => host.tier === tier)
  if (!host) throw new Error(`no ${tier} host`)
  return host
}

async function isStock(t: Test, host: TestHost) {
  t.match(await host.output('psql -tAc "select version()"', { as: 'postgres' }), /^PostgreSQL 15\./)
  t.equal(await host.output('psql -tAc "show max_connections"', { as: 'postgres' }), '100')
  t.match(await (await fetch(host.http)).text(), /Welcome to nginx/)
  t.strictSame(await pm2Apps(host), [{ name: 'sak-whatsapp-api', status: 'online', user: 'ubuntu' }])
  t.match(await host.output('curl -s localhost:5000'), /"nodeOptions":null/, 'the app has no heap limit')
  t.equal(await host.output('tail -n +2 /proc/swaps'), '', 'no swap')
  t.notMatch(await host.output('cat /etc/fstab'), /swap/)
  t.equal(await host.output('cat /proc/sys/vm/swappiness'), '60')
  t.equal(await host.output('systemctl is-system-running'), 'running')
}

const pm2List = z.array(z.object({ name: z.string(), pm2_env: z.object({ status: z.string(), username: z.string() }) }))

async function pm2Apps(host: TestHost) {
  const apps = pm2List.parse(JSON.parse(await host.output('pm2 jlist')))
  return apps.map(({ name, pm2_env }) => ({ name, status: pm2_env.status, user: pm2_env.username }))
}

for (const host of hosts) {
  t.test(`${host.name} is the stock box`, t => isStock(t, host))

  t.test(`${host.name} comes back from a real reboot as it was`, async t => {
    await host.exec('touch /run/before', { root: true })
    await host.reboot()
    t.equal((await host.exec('test -e /run/before', { mayFail: true })).code, 1, '/run is new')
    await isStock(t, host)
  })

  t.test(`${host.name} can be put back to stock`, async t => {
    await host.exec('touch /etc/sysctl.d/99-drift.conf && sync', { root: true })
    await host.restore()
    t.equal((await host.exec('test -e /etc/sysctl.d/99-drift.conf', { mayFail: true })).code, 1)
    await isStock(t, host)
  })
}

t.test('a power cut takes a full host what it had not synced, and it boots all the same', async t => {
  const host = hostOf('full')
  await host.exec('echo kept > synced; sync; echo lost > unsynced')
  await host.powercut()
  t.equal(await host.output('cat synced'), 'kept')
  t.equal(await host.output('cat unsynced 2>/dev/null', { mayFail: true }), '')
  await host.restore()
})

t.test('pm2-logrotate installs with no network', async t => {
  const host = hostOf('light')
  await host.exec('pm2 install pm2-logrotate')
  t.match(await pm2Apps(host), [{ name: 'sak-whatsapp-api' }, { name: 'pm2-logrotate', status: 'online' }])
  await host.restore()
})

t.test('the second user needs a password for sudo', async t => {
  const host = hostOf('light')
  t.not((await host.exec('sudo -n -u admin sudo -n true', { mayFail: true })).code, 0)
  const asked = await host.exec('sudo -n -u admin sudo -S id -un', { stdin: `${host.sudoPassword}\n` })
  t.equal(asked.stdout, 'root\n')
})

t.test('known_hosts and the inventory have every host', async t => {
  const { hosts: entries, groups } = inventoryOf(hosts)
  t.strictSame(Object.keys(entries), groups.servers.hosts)
  for (const host of hosts) {
    t.match(await readFile(host.knownHostsPath, 'utf8'), host.hostKey)
  }
})
