import { definePlaybook, reconcile } from 'sak-reconcile'
import { sysctl } from 'sak-reconcile/modules'
import t from 'tap'
import type { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('full')
t.teardown(stop)

const root = { root: true } as const
const path = '/etc/sysctl.d/60-sak.conf'
type Params = z.input<typeof sysctl.params>
const guide: Params = { settings: { 'vm.swappiness': 10, 'vm.vfs_cache_pressure': 50 } }

async function run(params: Params, dryRun = false) {
  const report = await reconcile({
    playbook: definePlaybook({ name: 'kernel', tasks: () => [sysctl(params)] }),
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [task] = report.hosts[0]?.tasks ?? []
  if (!task) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...task, keys: task.changes.map(change => change.key).sort(), trips: report.hosts[0]?.roundTrips }
}
const dry = (params: Params) => run(params, true)
const values = (...names: string[]) => host.output(`/sbin/sysctl -n ${names.join(' ')}`)

t.test('a stock host gets the guide’s values', async t => {
  t.match(await dry(guide), { status: 'drift', keys: ['running', 'saved'], trips: 1 })
  t.equal(await values('vm.swappiness', 'vm.vfs_cache_pressure'), '60\n100', 'a dry run sets nothing')
  t.match(await run(guide), { status: 'changed', error: null })
  t.equal(await values('vm.swappiness', 'vm.vfs_cache_pressure'), '10\n50')
  t.match(await dry(guide), { status: 'ok', keys: [], trips: 1 })
})

t.test('each drift is found in its layer and mended', async t => {
  await host.exec('/sbin/sysctl -q -w vm.swappiness=60', root)
  t.match(await dry(guide), { status: 'drift', keys: ['running'] })
  t.match(await run(guide), { status: 'changed' })
  await host.exec(`echo vm.swappiness=60 >>${path}`, root)
  t.match(await dry(guide), { status: 'drift', keys: ['saved'] })
  t.match(await run(guide), { status: 'changed' })
  await host.exec(
    `echo vm.swappiness=60 >/etc/sysctl.d/99-mine.conf; echo vm.vfs_cache_pressure=7 >>/etc/sysctl.conf`,
    root,
  )
  const found = await run(guide)
  t.match(found, { status: 'blocked', keys: ['boot'] })
  t.match(JSON.stringify(found), /99-mine\.conf:1 sets vm\.swappiness = 60/)
  t.match(JSON.stringify(found), /sysctl\.conf:\d+ \(through .*99-sysctl\.conf\) sets vm\.vfs_cache_pressure = 7/)
  t.match(await run({ ...guide, overrides: 'remove' }), { status: 'changed' })
  t.equal(
    await host.output('cat /etc/sysctl.d/99-mine.conf; tail -n 1 /etc/sysctl.conf'),
    '# vm.swappiness=60\n# vm.vfs_cache_pressure=7',
  )
  t.match(await dry(guide), { status: 'ok' })
})

t.test('what the kernel does not take is not saved, and the old values come back', async t => {
  const before = await host.output(`cat ${path}`)
  const refused = await run({ settings: { 'vm.vfs_cache_pressure': 60, 'vm.swappiness': 500 } })
  t.match(refused, { status: 'failed', error: { code: 'step-failed', rollback: 'done', said: /Invalid argument/ } })
  const cut = await run({ settings: { 'vm.swappiness': 20, 'vm.nr_hugepages': 100_000 } })
  t.match(
    cut,
    { status: 'failed', error: { code: 'step-failed', rollback: 'done' } },
    'a value that was cut to what fits',
  )
  const units = await run({ settings: { 'vm.dirty_bytes': 100_000_000, 'net.ipv4.tcp_rmem': '4096 87380' } })
  t.match(units, { status: 'failed', error: { code: 'step-failed', rollback: 'done' } }, 'two of three words')
  t.equal(
    await values('vm.swappiness', 'vm.vfs_cache_pressure', 'vm.nr_hugepages', 'vm.dirty_bytes', 'vm.dirty_ratio'),
    '10\n50\n0\n0\n20',
  )
  t.equal(await host.output(`cat ${path}`), before)
  const impossible = await dry({ settings: { 'vm.nosuch': 1, 'kernel.ostype': 'x' } })
  t.match(impossible, { status: 'blocked' })
})

t.test('the values are there after a reboot', async t => {
  await host.reboot()
  t.equal(await values('vm.swappiness', 'vm.vfs_cache_pressure'), '10\n50')
  t.match(await dry(guide), { status: 'ok', keys: [] })
})
