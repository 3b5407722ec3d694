import { definePlaybook, reconcile } from 'sak-reconcile'
import { swapfile } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import type { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('full')
t.teardown(stop)

const root = { root: true } as const
type Params = z.input<typeof swapfile.params>

async function run(params: Params, dryRun = false) {
  const report = await reconcile({
    playbook: definePlaybook({ name: 'swap', tasks: () => [swapfile(params)] }),
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [task] = report.hosts[0]?.tasks ?? []
  if (!task) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...task, keys: task.changes.map(change => change.key).sort(), trips: report.hosts[0]?.roundTrips }
}
const dry = (params: Params) => run(params, true)

async function becomes(t: Test, params: Params, what: string) {
  t.match(await run(params), { status: 'changed', error: null }, what)
  t.match(await dry(params), { status: 'ok', keys: [], trips: 1 }, `${what}: and stays`)
}

/** Active swap as `PATH KIB PRIORITY`, a line each. */
const active = () => host.output("awk 'NR > 1 { print $1, $3, $5 }' /proc/swaps")

t.test('a stock host gets the guide’s 2 GB, whole or not at all', async t => {
  const before = await host.output('cat /etc/fstab')
  t.match(await dry({}), { status: 'drift', keys: ['running', 'saved'], trips: 1 })
  t.equal((await host.exec('test -e /swapfile', { mayFail: true })).code, 1, 'a dry run makes nothing')
  await becomes(t, {}, 'made')
  t.equal(await active(), '/swapfile 2097148 -2')
  t.equal(await host.output('stat -c "%a %U:%G" /swapfile'), '600 root:root')
  t.equal(await host.output('cat /etc/fstab'), `${before}\n/swapfile none swap sw 0 0`)
  t.equal(
    await host.output('systemctl show -p FragmentPath --value swapfile.swap'),
    '/run/systemd/generator/swapfile.swap',
  )
})

t.test('it is in use again after a reboot', async t => {
  await host.reboot()
  t.equal(await active(), '/swapfile 2097148 -2')
  t.match(await dry({}), { status: 'ok', keys: [] })
})

t.test('each drift is found in its layer and mended', async t => {
  await host.exec('swapoff /swapfile', root)
  t.match(await dry({}), { status: 'drift', keys: ['running'] })
  await becomes(t, {}, 'switched on')
  await host.exec("sed -i '/swapfile/d' /etc/fstab", root)
  t.match(await dry({}), { status: 'drift', keys: ['saved'] })
  await becomes(t, {}, 'back in fstab')
  await host.exec("sed -i 's/swap sw/swap noauto/' /etc/fstab; chmod 644 /swapfile", root)
  t.match(await dry({}), { status: 'drift', keys: ['running', 'saved'] })
  await becomes(t, {}, 'mode and options')
  await host.exec('ln -s /dev/null /etc/systemd/system/swapfile.swap', root)
  t.match(await dry({}), { status: 'blocked', keys: ['boot'] })
  await host.exec('rm /etc/systemd/system/swapfile.swap', root)
})

t.test('another size and another priority', async t => {
  await becomes(t, { size: '256M', priority: 7 }, 'smaller')
  t.equal(await active(), '/swapfile 262140 7')
  await becomes(t, { size: '300M' }, 'bigger, with the priority that fstab has')
  t.equal(await active(), '/swapfile 307196 7')
})

t.test('what a cut-off run leaves, the next completes', async t => {
  const leftovers = {
    'nothing but the name': ': >/swapfile',
    'half of the file': 'fallocate -l 100M /swapfile; chmod 600 /swapfile',
    'the whole file before mkswap': 'fallocate -l 128M /swapfile; chmod 600 /swapfile',
    'the file before swapon': 'fallocate -l 128M /swapfile; chmod 600 /swapfile; mkswap /swapfile',
    'a file with holes': 'truncate -s 128M /swapfile; chmod 600 /swapfile; mkswap /swapfile',
    'a file in use that fstab does not name':
      'fallocate -l 128M /swapfile; chmod 600 /swapfile; mkswap /swapfile; swapon /swapfile',
    'a stand-in in use':
      'fallocate -l 64M /swapfile.sak-bridge; chmod 600 /swapfile.sak-bridge; mkswap /swapfile.sak-bridge; swapon /swapfile.sak-bridge',
  }
  for (const [what, make] of Object.entries(leftovers)) {
    await host.exec(`swapoff -a; rm -f /swapfile*; sed -i '/swapfile/d' /etc/fstab; ${make}`, root)
    await becomes(t, { size: '128M' }, what)
    t.match(await active(), /^\/swapfile 131068 -\d+$/, what)
  }
  t.equal(await host.output('ls /swapfile*'), '/swapfile')
})

t.test('a step that fails leaves all as it was', async t => {
  const before = await host.output('cat /etc/fstab')
  await host.exec('mv /etc/fstab /etc/away; ln -s /nowhere /etc/fstab', root)
  t.match(await run({ size: '200M', priority: 3 }), { status: 'failed', error: { rollback: 'done' } })
  await host.exec('mv /etc/away /etc/fstab', root)
  t.equal(await active(), '/swapfile 131068 -2', 'the old size is back in use')
  t.equal(await host.output('cat /etc/fstab'), before)
  for (const program of ['swapoff', 'swapon', 'mkswap']) {
    await host.exec(`mount --bind /bin/false /sbin/${program}`, root)
    const report = await run({ size: '200M' })
    await host.exec(`umount /sbin/${program}`, root)
    t.match(report, { status: 'failed', error: { code: 'step-failed' } }, program)
    const rollback = program === 'swapoff' ? 'done' : 'failed'
    t.match(report.error, { rollback }, `${program}: rollback ${rollback}`)
    t.match((await run({ size: '128M' })).status, /ok|changed/, `after a broken ${program} the next run completes`)
  }
  t.match(await active(), /^\/swapfile 131068 -\d+$/)
})

t.test('what is no swap file is left alone', async t => {
  await host.exec('echo notes >/notes', root)
  t.match(await run({ path: '/notes' }), { status: 'blocked' })
  t.match(await run({ path: '/notes', state: 'absent' }), { status: 'blocked' })
  t.equal(await host.output('cat /notes'), 'notes')
  t.match(await run({ size: '900G' }), { status: 'blocked' })
  t.match(await run({ path: '/dev/shm/swap', size: '64M' }), { status: 'blocked' })
})

t.test('xfs, btrfs and ext3, each in its way', async t => {
  for (const type of ['xfs', 'btrfs', 'ext3']) {
    const make = `truncate -s 1G /${type}.img; mkfs.${type} -q /${type}.img; mkdir -p /mnt/${type}; mount -o loop /${type}.img /mnt/${type}`
    await host.exec(make, root)
    const path = `/mnt/${type}/swap`
    await becomes(t, { path, size: '64M' }, type)
    await becomes(t, { path, size: '80M' }, `${type}: bigger`)
    t.match(await active(), new RegExp(`^${path} 81916 `, 'm'))
    await becomes(t, { path, state: 'absent' }, `${type}: gone`)
    await host.exec(`umount /mnt/${type}; rm /${type}.img`, root)
  }
  t.notMatch(await host.output('cat /etc/fstab'), /mnt/)
})

t.test('with memory short, a stand-in takes what is swapped out, and no program ends', async t => {
  await becomes(t, { size: '512M' }, 'room to swap out to')
  const hog = 'import time; b = bytearray(400 << 20); b[::4096] = b"x" * len(b[::4096]); time.sleep(10000)'
  await host.exec(`systemd-run -q --unit=hog -p MemoryMax=100M -p MemorySwapMax=infinity python3 -c '${hog}'`, root)
  await host.exec(
    'mkdir -p /mnt/ram; mount -t ramfs ram /mnt/ram; dd if=/dev/zero of=/mnt/ram/x bs=1M count=1250 status=none',
    root,
  )
  await host.exec(
    'for i in $(seq 120); do [ "$(awk \'NR == 2 { print $4 }\' /proc/swaps)" -gt 250000 ] && break; sleep 1; done',
    root,
  )
  const gone = await dry({ state: 'absent' })
  t.match(gone, { status: 'blocked' }, 'to be absent: refused')
  t.match(JSON.stringify(gone), /MiB are swapped out to \/swapfile, and memory and other swap have room for/)
  const report = await run({ size: '600M' })
  t.match(report, { status: 'changed' })
  t.match(JSON.stringify(report.steps), /swapon.*swapfile\.sak-bridge/)
  t.match(await active(), /^\/swapfile 614396 -\d+$/)
  t.equal(await host.output('systemctl is-active hog; ls /swapfile*'), 'active\n/swapfile')
  await host.exec('systemctl stop hog; umount /mnt/ram', root)
})

t.test('gone without a trace', async t => {
  await becomes(t, { state: 'absent' }, 'absent')
  t.equal(await active(), '')
  t.notMatch(await host.output('cat /etc/fstab; ls /'), /swapfile/)
})
