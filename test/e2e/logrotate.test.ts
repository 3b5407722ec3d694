import { definePlaybook, reconcile } from 'sak-reconcile'
import { logrotate } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import type { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const folder = '/var/www/sak-whatsapp-api/logs'
const path = '/etc/logrotate.d/sak'
const root = { root: true } as const
type Params = z.input<typeof logrotate.params>
const guide: Params['stanzas'][number] = {
  paths: [`${folder}/*.log`],
  frequency: 'daily',
  rotate: 7,
  compress: true,
  missingok: true,
}

async function run(params: Params, dryRun = false) {
  const playbook = definePlaybook({ name: 'logs', tasks: () => [logrotate(params)] })
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

const dry = (params: Params) => run(params, true)

async function isInSync(t: Test, params: Params, message = 'a second look finds nothing to do') {
  const again = await dry(params)
  t.match(again, { status: 'ok', keys: [], trips: 2 }, message)
}

/** What logrotate itself says about the configuration as it is. */
const errors = () => host.output('logrotate -d /etc/logrotate.conf 2>&1 | grep ^error || true', root)

t.test('a stock host gets the guide’s rotation', async t => {
  const params = { stanzas: [guide] }
  t.match(await dry(params), { status: 'drift', keys: ['saved'] })
  t.equal((await host.exec(`test -e ${path}`, { mayFail: true })).code, 1, 'a dry run writes nothing')
  t.match(await run(params), { status: 'changed', error: null })
  t.match(await host.output(`cat ${path}`), /daily\n {4}rotate 7\n {4}su ubuntu ubuntu\n/, 'su as the folder demands')
  t.equal(await errors(), '')
  await isInSync(t, params)
})

t.test('a program that keeps its log open goes on logging to it, and 7 old logs are kept', async t => {
  const log = `${folder}/app.log`
  const write = `exec >>${log}; i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.05; done`
  await host.exec(`systemd-run --quiet --unit=logger --uid=ubuntu sh -c '${write}'`, root)
  t.teardown(() => host.exec('systemctl stop logger', root))
  const before = await host.output('cat /var/lib/logrotate/status 2>/dev/null || true', root)
  t.notMatch(before, /app\.log/, 'the state file was left alone so far')
  for (let day = 0; day < 9; day += 1) {
    await host.exec('sleep 0.3; logrotate --force /etc/logrotate.conf', root)
  }
  const kept = (await host.output(`ls ${folder}`)).split('\n').filter(name => name.startsWith('app.log.'))
  t.same(
    kept.sort(),
    [1, 2, 3, 4, 5, 6, 7].map(number => `app.log.${number}.gz`),
  )
  t.equal(await host.output(`stat -c '%U:%G' ${folder}/app.log.1.gz`), 'ubuntu:ubuntu')
  const size = async () => Number(await host.output(`stat -c %s ${log}`))
  const small = await size()
  await host.exec('sleep 0.5')
  t.ok((await size()) > small, 'the log grows after it was rotated')
  await isInSync(t, { stanzas: [guide] }, 'rotating is no drift')
})

t.test('the timer of logrotate runs it as its own unit does', async t => {
  await host.exec('rm -f /var/lib/logrotate/status; systemctl start logrotate.service', root)
  t.equal(await host.output('systemctl show -p Result --value logrotate.service'), 'success')
})

t.test('what works in a shell and not from the unit is refused', async t => {
  const script = '/usr/local/bin/uses-node'
  await host.exec(`printf '#!/bin/sh\\nexec node -e 0\\n' > ${script}; chmod +x ${script}; ${script}`, root)
  const inUnit = await host.exec(`systemd-run --quiet --wait -p MemoryDenyWriteExecute=yes ${script}`, {
    ...root,
    mayFail: true,
  })
  t.not(inUnit.code, 0, 'node dies where logrotate.service would run it')
  const refused = await dry({ stanzas: [{ ...guide, postrotate: 'sudo -u ubuntu pm2 reloadLogs' }] })
  t.match(refused, {
    status: 'blocked',
    error: { code: 'refused', message: /Node.js dies under MemoryDenyWriteExecute/ },
  })
  const hidden = await dry({ stanzas: [{ ...guide, paths: ['/tmp/x.log'], su: false }] })
  t.match(hidden, { status: 'blocked', error: { message: /PrivateTmp/ } })
})

t.test('drift in each layer is found in its layer, and mended', async t => {
  const params = { stanzas: [guide] }
  const cases: [string, string[]][] = [
    [`echo '# by hand' >> ${path}`, ['saved']],
    [`chmod 666 ${path}`, ['saved']],
    [`chown ubuntu ${path}`, ['saved']],
    [`rm ${path}`, ['saved']],
    ['systemctl stop logrotate.timer', ['running']],
    ['rm /etc/systemd/system/timers.target.wants/logrotate.timer', ['boot']],
    ['systemctl disable --now --quiet logrotate.timer', ['running', 'boot']],
  ]
  for (const [command, keys] of cases) {
    await host.exec(command, root)
    t.match(await dry(params), { status: 'drift', keys }, command)
    t.match(await run(params), { status: 'changed', error: null }, `${command}: mended`)
    t.equal(await errors(), '')
    await isInSync(t, params)
  }
  t.equal(
    await host.output('systemctl is-enabled logrotate.timer; systemctl is-active logrotate.timer'),
    'enabled\nactive',
  )
})

t.test('what logrotate refuses is put back, byte for byte', async t => {
  const before = await host.output(`cat ${path}`)
  const refused = await run({ stanzas: [{ ...guide, su: { user: 'nobody-here', group: 'root' } }] })
  t.match(refused, { status: 'failed', error: { code: 'step-failed', rollback: 'done', said: /unknown user/ } })
  t.equal(await host.output(`cat ${path}`), before)
  const missing = await run({ stanzas: [{ ...guide, paths: ['/var/log/none.log'], missingok: false }] })
  t.match(missing, { status: 'failed', error: { said: /stat of \/var\/log\/none\.log failed/ } })
  t.equal(await host.output(`cat ${path}`), before)
})

t.test('what others broke is not ours', async t => {
  await host.exec("printf '/var/log/x.log {\\n rotate two\\n}\\n' > /etc/logrotate.d/broken", root)
  t.match(await run({ stanzas: [{ ...guide, rotate: 8 }] }), { status: 'changed' }, 'a broken file beside ours')
  await host.exec("rm /etc/logrotate.d/broken; sed -i '1i rotate 2 }' /etc/logrotate.conf", root)
  const blocked = await dry({ stanzas: [guide] })
  t.match(blocked, { status: 'blocked', error: { code: 'unsupported', message: /It was so before this task/ } })
  await host.exec('sed -i 1d /etc/logrotate.conf', root)
  t.match(await run({ stanzas: [guide] }), { status: 'changed' })
})

t.test('another file that rotates the same logs', async t => {
  const other = '/etc/logrotate.d/other'
  const text = `# by hand\n/var/log/other.log ${folder}/app.log {\n\tweekly\n\tmissingok\n}\n`
  await host.exec(`cat > ${other}`, { ...root, stdin: text })
  const params = { stanzas: [guide] }
  t.match(await dry(params), { status: 'blocked', error: { code: 'override', message: /other:2 rotates/ } })
  t.match(await run({ ...params, overrides: 'remove' }), { status: 'changed' })
  t.equal(`${await host.output(`cat ${other}`)}\n`, text.replace(` ${folder}/app.log`, ''))
  t.equal(await errors(), '')
  await isInSync(t, params)
  await host.exec(`rm ${other}`, root)
})

t.test('a masked timer is somebody’s decision', async t => {
  await host.exec('systemctl mask --now --quiet logrotate.timer', root)
  const params = { stanzas: [guide] }
  t.match(await run(params), { status: 'blocked', error: { code: 'override' } })
  t.match(await run({ ...params, overrides: 'remove' }), { status: 'changed' })
  await isInSync(t, params)
})

t.test('hourly rotation makes the timer hourly, and back', async t => {
  const hourly = { stanzas: [{ ...guide, frequency: 'hourly' as const }] }
  t.match(await run(hourly), { status: 'changed', error: null })
  t.match(await host.output('systemctl show -p TimersCalendar logrotate.timer'), /OnCalendar=\*-\*-\* \*:00:00/)
  await isInSync(t, hourly)
  t.match(await run({ stanzas: [guide] }), { status: 'changed' })
  t.match(await host.output('systemctl show -p TimersCalendar logrotate.timer'), /OnCalendar=\*-\*-\* 00:00:00/)
})

t.test('a check makes no directories, although logrotate -d would', async t => {
  const params = { stanzas: [{ ...guide, olddir: 'old', createolddir: true }] }
  await host.exec(`printf '%s/*.log {\\n olddir old\\n createolddir\\n}\\n' ${folder} > ${path}`, root)
  await dry(params)
  t.equal((await host.exec(`test -e ${folder}/old`, { mayFail: true })).code, 1)
  t.match(await run({ stanzas: [guide] }), { status: 'changed' })
})

t.test('all of it is there after a reboot', async t => {
  await host.reboot()
  await isInSync(t, { stanzas: [guide] })
})
