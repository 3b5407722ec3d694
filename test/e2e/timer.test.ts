import fc from 'fast-check'
import { definePlaybook, reconcile, type Task } from 'sak-reconcile'
import { timer } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import type { z } from 'zod'
import { commandLine, quoteWord } from '../../modules/timer/quote.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const

async function run(task: Task, dryRun = false) {
  const report = await reconcile({
    playbook: definePlaybook({ name: 'timers', tasks: () => [task] }),
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts[0]?.tasks ?? []
  if (!found) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...found, keys: found.changes.map(change => change.key).sort(), trips: report.hosts[0]?.roundTrips }
}
const dry = (task: Task) => run(task, true)
const isInSync = async (test: Test, task: Task) => test.match(await dry(task), { status: 'ok', keys: [] })

/** Every trace that a timer leaves on a host. */
const traces = (name: string) =>
  host.output(
    `find /etc /home /var/lib/systemd /run/systemd -name '*${name}*' 2>/dev/null; systemctl list-units --all --plain --no-legend '${name}*'`,
    root,
  )

const backup = {
  name: 'sak-backup',
  command: ['/usr/bin/touch', '/tmp/ran'],
  onCalendar: ['03:10', 'Mon..Fri *-*-1 04:00'],
  persistent: true,
}

t.test('what we quote, systemd hands on', async t => {
  const text = fc.oneof(
    fc.string({
      unit: fc.constantFrom(
        '%',
        '\\',
        "'",
        '"',
        ' ',
        '$',
        '{',
        'a',
        ';',
        '\n',
        '\t',
        '\x01',
        '%n',
        '$' + '{A}',
        '\\x41',
      ),
    }),
    fc.string({ unit: 'grapheme' }),
  )
  const args = text.map(value => value.replaceAll('\0', ''))
  const argvs = fc.sample(fc.array(args, { minLength: 1, maxLength: 4 }), 60)
  const values = fc.sample(args, 30)
  const lines = [
    '[Service]',
    'Type=oneshot',
    ...values.map((value, index) => `Environment=${quoteWord(`V${index}=${value}`)}`),
    ...argvs.map((argv, index) => `ExecStart=${commandLine(['/usr/local/bin/args', String(index), ...argv])}`),
    'ExecStart=/bin/sh -c "env -0 | grep -z ^V >/tmp/variables"',
  ]
  await host.exec(
    'printf \'#!/bin/sh\\no=/tmp/args-$1; shift; printf "%%s\\\\0" "$@" >$o\\n\' >/usr/local/bin/args; chmod 755 /usr/local/bin/args',
    root,
  )
  await host.exec('cat >/run/systemd/system/probe.service; systemctl daemon-reload; systemctl start probe.service', {
    ...root,
    stdin: `${lines.join('\n')}\n`,
  })
  const found = await host.output('for i in $(seq 0 59); do base64 -w0 /tmp/args-$i; echo; done', root)
  t.same(
    found.split('\n').map(line => Buffer.from(line, 'base64').toString()),
    argvs.map(argv => argv.map(arg => `${arg}\0`).join('')),
  )
  const variables = Buffer.from(await host.output('base64 -w0 /tmp/variables', root), 'base64').toString()
  t.same(variables.split('\0').filter(Boolean).sort(), values.map((value, index) => `V${index}=${value}`).sort())
})

t.test('a timer of the system', async t => {
  t.match(await dry(timer(backup)), { status: 'drift', keys: ['boot', 'running', 'saved'], trips: 1 })
  t.equal(await traces('sak-backup'), '', 'a dry run leaves nothing')
  t.match(await run(timer(backup)), { status: 'changed', error: null })
  await isInSync(t, timer(backup))
  t.match(await host.output('systemctl list-timers --all --no-legend sak-backup.timer'), /03:10:00|04:00:00/)
  await host.exec('systemctl start sak-backup.service; test -e /tmp/ran', root)
})

t.test('each drift is found in its layer and mended', async t => {
  const file = '/etc/systemd/system/sak-backup.timer'
  const drifts = [
    ['systemctl stop sak-backup.timer', ['running']],
    ['systemctl disable sak-backup.timer', ['boot']],
    [`sed -i s/03:10/05:10/ ${file}`, ['running', 'saved']],
    [`sed -i s/03:10/05:10/ ${file}; systemctl daemon-reload`, ['running', 'saved']],
    // the file is put back with an old time, and systemd goes on with the other one
    [
      `cp -p ${file} /tmp/t; sed -i 's/03:10/05:10/; s/#.*$/#/' ${file}; systemctl daemon-reload; cp -p /tmp/t ${file}`,
      ['running'],
    ],
    [`chmod 600 ${file}`, ['saved']],
    ['rm /etc/systemd/system/sak-backup.service', ['running', 'saved']],
  ] as const
  for (const [command, keys] of drifts) {
    await host.exec(command, root)
    const found = await run(timer(backup))
    t.match(found, { status: 'changed', error: null }, command)
    t.strictSame(found.keys, keys, command)
    await isInSync(t, timer(backup))
  }
  t.match(await host.output('systemctl show sak-backup.timer -p TimersCalendar'), /03:10:00/)
  const later = { ...backup, onCalendar: '06:15' }
  t.match(await run(timer(later)), { status: 'changed' })
  t.match(
    await host.output('systemctl list-timers --all --no-legend sak-backup.timer'),
    /06:15:00/,
    'its next time is the new one',
  )
  await host.reboot()
  await isInSync(t, timer(later))
})

t.test('what cannot be is blocked', async t => {
  const blocked = async (task: Task, code: string, message: RegExp) =>
    t.match(await dry(task), { status: 'blocked', error: { code, message } })
  await blocked(timer({ ...backup, onCalendar: 'dayly' }), 'refused', /onCalendar: .*'dayly'/)
  await blocked(timer({ ...backup, onCalendar: ['daily', '2020-01-01'] }), 'refused', /never comes: 2020-01-01/)
  await blocked(
    timer({ ...backup, command: ['/usr/bin/nothing-here'] }),
    'not-installed',
    /no \/usr\/bin\/nothing-here/,
  )
  await blocked(timer({ ...backup, command: ['/etc/passwd'] }), 'refused', /cannot be run/)
  await host.exec('echo "[Timer]" >/run/systemd/system/strange.timer', root)
  await blocked(timer({ ...backup, name: 'strange' }), 'refused', /there is a strange.timer already: \/run/)
  await host.exec(
    'mkdir -p /etc/systemd/system/sak-backup.timer.d; echo "[Timer]" >/etc/systemd/system/sak-backup.timer.d/x.conf; systemctl daemon-reload',
    root,
  )
  await blocked(timer(backup), 'override', /x\.conf changes sak-backup.timer/)
  await host.exec('rm -r /etc/systemd/system/sak-backup.timer.d; systemctl daemon-reload', root)
  await blocked(timer({ ...backup, user: 'nobody-here' }), 'no-such-user', /no user nobody-here/)
})

t.test('absent leaves nothing', async t => {
  await host.exec(
    "sed -i 's/^ExecStart=.*/ExecStart=false/' /etc/systemd/system/sak-backup.service; systemctl daemon-reload; systemctl start sak-backup.service || true",
    root,
  )
  const gone = timer({ name: 'sak-backup', state: 'absent' })
  t.match(await run(gone), { status: 'changed', error: null })
  t.equal(await traces('sak-backup'), '')
  await isInSync(t, gone)
})

t.test('a timer of a user, who is let linger', async t => {
  const mine: z.input<typeof timer.params> = {
    name: 'mine',
    scope: 'user',
    user: 'admin',
    command: ['/usr/bin/touch', '/tmp/ran-by-admin'],
    onCalendar: 'daily',
    description: '100% mine',
  }
  t.match(await dry(timer(mine)), { status: 'drift', keys: ['boot', 'running', 'saved'], trips: 2 })
  t.match(await run(timer(mine)), { status: 'changed', error: null })
  await isInSync(t, timer(mine))
  const ctl = 'XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user'
  t.equal(
    await host.output(`${ctl} show mine.timer -p ActiveState --value; ${ctl} is-enabled mine.timer`, { as: 'admin' }),
    'active\nenabled',
  )
  t.equal(
    await host.output('stat -c %U /home/admin/.config /home/admin/.config/systemd/user/mine.timer', root),
    'admin\nadmin',
  )
  await host.exec(`${ctl} start mine.service; test -O /tmp/ran-by-admin`, { as: 'admin' })
  await host.exec('loginctl disable-linger admin; sleep 1', root)
  t.match(await run(timer(mine)), { status: 'changed', keys: ['boot', 'running'] })
  await host.reboot()
  await isInSync(t, timer(mine))
  t.match(await run(timer({ name: 'mine', scope: 'user', user: 'admin', state: 'absent' })), {
    status: 'changed',
    error: null,
  })
  t.equal(await traces('mine.'), '')
  t.match(await dry(timer({ ...mine, user: 'nobody-here' })), { status: 'blocked', error: { code: 'no-such-user' } })
})

t.test('a failure leaves the old timer running as it was', async t => {
  const old = timer({ ...backup, name: 'probe2' })
  t.match(await run(old), { status: 'changed' })
  const before = await host.output(
    'cat /etc/systemd/system/probe2.*; systemctl show probe2.timer -p TimersCalendar,ActiveState',
  )
  await host.exec(
    'printf \'#!/bin/sh\\necho "probe2.timer: nonsense"\\n\' >/usr/local/bin/systemd-analyze; chmod 755 /usr/local/bin/systemd-analyze',
    root,
  )
  const failed = await run(timer({ ...backup, name: 'probe2', onCalendar: '07:00' }))
  t.match(failed, { status: 'failed', error: { code: 'step-failed', rollback: 'done', said: /nonsense/ } })
  await host.exec('rm /usr/local/bin/systemd-analyze', root)
  t.equal(
    await host.output('cat /etc/systemd/system/probe2.*; systemctl show probe2.timer -p TimersCalendar,ActiveState'),
    before,
  )
  await isInSync(t, old)
})

t.test('a new timer that cannot be started is gone without a trace', async t => {
  const refuses = '#!/bin/sh\n[ "$1" != restart ] || exit 1\nexec /usr/bin/systemctl "$@"\n'
  const place = '/usr/local/bin/systemctl'
  await host.exec(`cat >${place}; chmod 755 ${place}`, { ...root, stdin: refuses })
  const failed = await run(timer({ ...backup, name: 'probe3' }))
  await host.exec(`rm ${place}`, root)
  t.match(failed, { status: 'failed', error: { code: 'step-failed', rollback: 'done' } })
  t.equal(await traces('probe3.'), '')
})
