import fc from 'fast-check'
import { definePlaybook, parseCronSchedule, reconcile, type Task } from 'sak-reconcile'
import { cron } from 'sak-reconcile/modules'
import { fakeHost } from 'sak-reconcile/testing'
import t from 'tap'
import type { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const
const fails = async (command: string) => (await host.exec(command, { ...root, mayFail: true })).code !== 0

async function run(task: Task, dryRun = false) {
  const report = await reconcile({
    playbook: definePlaybook({ name: 'units', tasks: () => [task] }),
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts[0]?.tasks ?? []
  if (!found) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...found, keys: found.changes.map(change => change.key).sort(), trips: report.hosts[0]?.roundTrips }
}
const dry = (task: Task) => run(task, true)

/** What cron writes of commands that we quote, to be read when a minute is over. */
const argvs = fc.sample(
  fc
    .array(
      fc.oneof(
        fc.string({ unit: fc.constantFrom('%', '\\', "'", '"', ' ', '$', 'a', '`', ';') }),
        fc.string({ unit: 'grapheme' }),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map(args => args.map(arg => arg.replaceAll(/[^\t\P{Cc}]/gu, ''))),
  40,
)
const values = [' a  b', 'x "y"', "it's", '100%', '#', '$HOME \\%']
const cronLine = async (params: z.input<typeof cron.params>) => {
  const { desired } = await cron(params).assess(
    fakeHost({ commands: [{ argv: ['getent', 'passwd', 'root'] }, { argv: [...shown] }] }),
  )
  const { content } = (desired as { saved: { content: string } }).saved
  return content.split('\n').slice(1).join('\n')
}
const shown = [
  'systemctl',
  'show',
  'cron.service',
  'crond.service',
  'cronie.service',
  '-p',
  'Id,LoadState,ActiveState,UnitFileState',
]

t.before(async () => {
  const entries = argvs.map((args, index) =>
    cronLine({ name: 'probe', schedule: '* * * * *', command: ['/usr/local/bin/args', String(index), ...args] }),
  )
  const environment = Object.fromEntries(values.map((value, index) => [`V${index}`, value]))
  entries.push(
    cronLine({ name: 'probe', schedule: '* * * * *', command: 'env -0 | grep -z ^V >/tmp/variables', environment }),
  )
  await host.exec(
    'printf \'#!/bin/sh\\no=/tmp/args-$1; shift; printf "%%s\\\\0" "$@" >$o\\n\' >/usr/local/bin/args; chmod 755 /usr/local/bin/args',
    root,
  )
  await host.exec('cat >/etc/cron.d/probe', { ...root, stdin: (await Promise.all(entries)).join('') })
})

t.test('schedules that we take are those that cron takes', async t => {
  const part = fc.tuple(
    fc.constantFrom('*', '0', '7', '05', '31', 'jan', 'SUN', '60'),
    fc.constantFrom('', '-6', '-fri', '/2', '-9/3', '/0'),
  )
  const field = fc
    .array(
      part.map(pieces => pieces.join('')),
      { minLength: 1, maxLength: 2 },
    )
    .map(parts => parts.join(','))
  const others = ['*', '*', '*', '*']
  const one = fc.tuple(field, fc.nat(4)).map(([text, at]) => others.toSpliced(at, 0, text).join(' '))
  const schedules = [...new Set(fc.sample(one, 400)), '@daily', '@reboot', '@hourly', '@sometimes']
  const check = 'while IFS= read -r s; do printf "%s x\\n" "$s" | crontab -n - >/dev/null 2>&1; echo $?; done'
  const codes = (await host.output(check, { ...root, stdin: `${schedules.join('\n')}\n` })).split('\n')
  const accepted = schedules.filter(schedule => {
    const times = parseCronSchedule(schedule)
    return times === 'reboot' || !('error' in times)
  })
  const wrong = accepted.filter(schedule => codes[schedules.indexOf(schedule)] !== '0')
  t.same(wrong, [], 'cron takes what we take')
  const refused = schedules.filter((schedule, index) => codes[index] === '0' && !accepted.includes(schedule))
  t.same(
    refused.filter(schedule => !schedule.includes('-')),
    [],
    'we take all but ranges that hold nothing or begin with *',
  )
  t.ok(accepted.length > 30, `${accepted.length} of ${schedules.length}`)
})

const backup = {
  name: 'sak-backup',
  schedule: '10 3 * * *',
  command: ['/usr/bin/true', '100%'],
  environment: { MAILTO: '' },
}
const path = '/etc/cron.d/sak-backup'

t.test('an entry in cron.d', async t => {
  const found = await dry(cron(backup))
  t.match(found, { status: 'drift', keys: ['saved'], trips: 1 })
  t.ok(await fails(`test -e ${path}`), 'a dry run writes nothing')
  t.match(await run(cron(backup)), { status: 'changed', error: null })
  t.equal(await host.output(`tail -n 1 ${path}`), "10 3 * * * root /usr/bin/true '100\\%'")
  t.match(await dry(cron(backup)), { status: 'ok', keys: [] })
  await host.exec(`chmod g+w ${path}`, root)
  t.match(await run(cron(backup)), { status: 'changed', keys: ['saved'] }, 'cron would pass over it')
  t.equal(await host.output(`stat -c %a ${path}`), '644')
})

t.test('the daemon that runs it', async t => {
  await host.exec('systemctl disable --now cron', root)
  t.match(await dry(cron(backup)), { status: 'drift', keys: ['boot', 'running'] })
  t.match(await run(cron(backup)), { status: 'changed' })
  t.equal(await host.output('systemctl is-active cron; systemctl is-enabled cron'), 'active\nenabled')
  await host.exec('systemctl mask --now cron', root)
  t.match(await run(cron(backup)), { status: 'blocked', error: { code: 'override' } })
  await host.exec('systemctl unmask cron; systemctl enable --now cron', root)
  t.match(await dry(cron({ ...backup, user: 'nobody-here' })), { status: 'blocked', error: { code: 'no-such-user' } })
  t.match(await run(cron({ name: 'sak-backup', state: 'absent' })), { status: 'changed' })
  t.ok(await fails(`test -e ${path}`))
  t.match(await dry(cron({ name: 'sak-backup', state: 'absent' })), { status: 'ok' })
})

t.test('an entry in the crontab of a user', async t => {
  const mine = 'MAILTO=me\n*/5 * * * *\techo mine  # \n'
  await host.exec(`printf '%s' '${mine}' | crontab -`, { as: 'ubuntu' })
  const kept = await host.output('cat /var/spool/cron/crontabs/ubuntu', root)
  const entry = {
    name: 'report',
    schedule: '* * * * *',
    command: 'id -un >/tmp/who-$X',
    user: 'ubuntu',
    place: 'crontab' as const,
    environment: { X: 'a b%' },
  }
  t.match(await run(cron(entry)), { status: 'changed', error: null })
  t.ok(
    (await host.output('cat /var/spool/cron/crontabs/ubuntu', root)).startsWith(
      `${kept}\n# BEGIN sak-reconcile report`,
    ),
  )
  t.equal(await host.output('stat -c %a:%U:%G /var/spool/cron/crontabs/ubuntu', root), '600:ubuntu:crontab')
  t.match(await dry(cron(entry)), { status: 'ok' })
  await host.exec("{ cat; echo '61 * * * * x'; } >/var/spool/cron/crontabs/ubuntu", { ...root, stdin: `${kept}\n` })
  const broken = await run(cron(entry))
  t.match(
    broken,
    { status: 'failed', error: { code: 'step-failed', rollback: 'done', said: /bad minute/ } },
    'cron would pass over all of it',
  )
  t.match(await host.output('cat /var/spool/cron/crontabs/ubuntu', root), /61 \* \* \* \* x$/)
  await host.exec('cat >/var/spool/cron/crontabs/ubuntu', { ...root, stdin: `${kept}\n` })
  t.match(await run(cron(entry)), { status: 'changed' })
})

t.test('cron hands on what we quoted', async t => {
  const last = argvs.length - 1
  await host.exec(
    `i=0; while ! { test -e /tmp/args-${last} && test -e /tmp/variables && test -e '/tmp/who-a b%'; } && [ $i -lt 80 ]; do sleep 1; i=$((i+1)); done; sleep 1`,
  )
  const found = await Promise.all(argvs.map((_, index) => host.output(`cat /tmp/args-${index}`, root)))
  found.forEach((said, index) => {
    t.equal(said, (argvs[index] ?? []).map(arg => `${arg}\0`).join(''), `entry ${index}`)
  })
  const variables = await host.output('cat /tmp/variables', root)
  t.same(
    variables.split('\0').filter(Boolean).sort(),
    values.map((value, index) => `V${index}=${value}`),
  )
  t.equal(await host.output("cat '/tmp/who-a b%'", root), 'ubuntu', 'the entry of the crontab ran as its user')
})
