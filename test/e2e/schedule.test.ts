/** Schedules, with real cron and a real systemd: the package as users have it, on a host. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { calendarEvents } from '../../src/core/calendar-event.ts'
import { nextCronRun } from '../../src/core/cron-schedule.ts'
import { startHost, type TestHost } from './harness.ts'
import { pack, run } from './packed.ts'

let host: TestHost

const playbook = `
import { defineModule, definePlaybook, file, write } from 'sak-reconcile'
import { z } from 'zod'
const note = defineModule({
  name: 'note', description: 'Keeps a note.', params: z.strictObject({}), impact: 'none', owns: () => ['/tmp/note'],
  check: async host => ({ current: { saved: await host.file('/tmp/note') }, desired: { saved: file('/tmp/note', 'hello\\n') } }),
  apply: ({ saved }) => [saved && write(saved.after)],
})
export default definePlaybook({ name: 'note', tasks: () => [note({})] })
`

t.before(async () => {
  const started = await startHost('light')
  host = started.host
  t.teardown(started.stop)
  const { archive, folder, env } = await pack(t)
  const project = join(folder, 'infra')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'infra', private: true, type: 'module' }))
  await writeFile(join(project, 'note.mjs'), playbook)
  const installed = await run(['npm', 'install', archive, 'zod@4'], project, env)
  t.equal(installed.code, 0, installed.stderr)
  await run(['tar', '-czf', join(folder, 'infra.tgz'), '-C', folder, 'infra'], folder, env)
  const ssh = ['-i', host.privateKeyPath, '-o', `UserKnownHostsFile=${host.knownHostsPath}`, '-P', String(host.port)]
  await run(
    ['scp', '-q', ...ssh, join(folder, 'infra.tgz'), `${host.user}@${host.address}:/tmp/infra.tgz`],
    folder,
    env,
  )
  await host.exec('tar -xzf /tmp/infra.tgz -C ~')
})

const sak = (command: string, options: { as?: string; cwd?: string } = {}) =>
  host.exec(`cd ${options.cwd ?? '~ubuntu/infra'} && npx --no-install sak-reconcile ${command}`, {
    mayFail: true,
    ...(options.as !== undefined && { as: options.as }),
  })

/** Everything on the host that a schedule could be in, but for what its runs log: a minute may begin at any time. */
const traces = () => found("! -name '*.log' -printf '%M %u %g %s %p\\n'")
const logs = () => found("-name '*.log' -print")
const found = (which: string) =>
  host.output(
    `sudo sh -c "cd / && find etc/cron.d etc/systemd var/spool/cron home/ubuntu/.config home/ubuntu/.local/state/sak-reconcile/schedule ! -type d ${which} 2>/dev/null | sort"`,
  )

/** Waits for what a minute brings. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 45; tries += 1) {
    if (await holds()) return true
    await sleep(2000)
  }
  return t.fail(what)
}

/** Each has a playbook of its own: runs of the same would wait for each other. */
const all = (['systemd', 'cron'] as const).flatMap(using =>
  [false, true].map(user => {
    const name = `${using}${user ? '-user' : ''}`
    return { name, using, flags: `--name ${name}${user ? ' --user' : ''}` }
  }),
)
let before = ''

t.test('installing twice changes nothing', async t => {
  before = await traces()
  for (const { name, using, flags } of all) {
    await host.exec(`cp ~/infra/note.mjs ~/infra/${name}.mjs`)
    t.match(await sak(`schedule status --name ${name}`), { code: 1, stdout: 'nothing is scheduled\n' })
    const install = `schedule install --every '* * * * *' --using ${using} ${flags} -- ./${name}.mjs -i localhost,`
    const first = await sak(install)
    t.match(first, { code: 0, stdout: /^scheduled\n {2}what {6}sak-reconcile drift \.\// }, first.stdout + first.stderr)
    const installed = await traces()
    t.match(await sak(install), { code: 0, stdout: /^already scheduled\n/ })
    t.equal(await traces(), installed)
  }
})

t.test('they run, as who scheduled them, and the status says how that ended', async t => {
  for (const { name } of all) {
    const log = `~ubuntu/.local/state/sak-reconcile/schedule/${name}.log`
    await eventually(
      `${name} runs`,
      async () => (await host.exec(`grep 'Z exit' ${log}`, { mayFail: true })).code === 0,
    )
    const said = await host.output(`cat ${log}`)
    t.match(said, /note/, said)
    t.equal(await host.output(`stat -c %U ${log}`), 'ubuntu')
    const status = await sak(`schedule status --name ${name}`)
    t.match(
      status,
      { code: 0, stdout: /last run {2}[-\d]+ [:\d]+ {3}exit 2: drift found\n {2}next run {2}[-\d]+ [:\d]+\n/ },
      status.stdout,
    )
  }
})

t.test('what was changed by hand is told, and written again', async t => {
  await host.exec(
    'echo "# mine" | sudo tee -a /etc/cron.d/sak-reconcile-cron /etc/systemd/system/sak-reconcile-systemd.timer',
  )
  for (const { name, using, flags } of all.filter(each => !each.flags.includes('--user'))) {
    t.match(await sak(`schedule status --name ${name}`), { code: 2, stdout: /not as it was installed/ })
    const install = `schedule install --every '* * * * *' --using ${using} ${flags} -- ./${name}.mjs -i localhost,`
    t.match(await sak(install), { code: 0, stdout: /^scheduled\n/ })
    t.match(await sak(`schedule status --name ${name}`), { code: 0 })
  }
})

t.test('removing leaves nothing', async t => {
  for (const { name, flags } of all) {
    const removed = await sak(`schedule remove ${flags}`)
    t.match(removed, { code: 0, stdout: `removed: ${name}\n` }, removed.stdout + removed.stderr)
    t.match(await sak(`schedule remove ${flags}`), { code: 0, stdout: 'nothing was scheduled\n' })
  }
  t.equal(await traces(), before)
  t.equal(await logs(), '')
  t.equal(await host.output('systemctl --failed --plain --no-legend'), '')
})

t.test('an apply from cron mends, with the same history, and tells the same people', async t => {
  const own = "{ kind: 'file', path: '/tmp/mended', content: 'hello\\n' }" // whoever owns it
  const mended = playbook.replaceAll('/tmp/note', '/tmp/mended').replace("file('/tmp/mended', 'hello\\n')", own)
  const notify = [{ kind: 'command', argv: ['sh', '-c', 'cat >>~/infra/mend/told'] }]
  const config = { playbook: '../mend.mjs', inventory: 'localhost,', drift: { notify } }
  const files = {
    'mend.mjs': mended,
    'mend/sak.config.json': JSON.stringify(config),
  }
  await host.exec('mkdir ~/infra/mend && echo hello >/tmp/mended')
  for (const [name, content] of Object.entries(files)) await host.exec(`cat >~/infra/${name}`, { stdin: content })
  const mending = { cwd: '~ubuntu/infra/mend' }
  t.match(await sak('drift', mending), { code: 0, stdout: '' })
  await host.exec('echo spoilt >/tmp/mended')
  // as docs/drift.md has it
  const entry = 'cd ~/infra/mend && npx sak-reconcile --yes --allow reload --quiet'
  const line = `* * * * * ubuntu date >>~/infra/mend/ran; (${entry}) >>~/infra/mend/out 2>&1`
  await host.exec('cat >/etc/cron.d/mend', { root: true, stdin: `${line}\n` })
  const count = async () => Number(await host.output('wc -l <~/infra/mend/ran 2>/dev/null || echo 0'))
  await eventually('it mends', async () => (await host.output('cat /tmp/mended')) === 'hello')
  const events = async () => host.output('cat ~/infra/mend/told')
  await eventually('somebody is told', async () => (await events()).includes('"kind":"resolved"'))
  t.match(await events(), /"kind":"new".*"kind":"resolved".*"by":"us"/)
  t.match(await sak('history --no-color', mending), { code: 0, stdout: /note: saved \/tmp\/mended {2}our own apply\n/ })
  const [told, said, runs] = [await events(), await host.output('cat ~/infra/mend/out'), await count()]
  t.match(said, /changed/)
  await eventually('it runs again', async () => (await count()) > runs)
  await eventually('and has ended that run', async () => (await count()) > runs + 1)
  t.equal(await host.output('cat ~/infra/mend/out'), said, 'silent where nothing is to be mended')
  t.equal(await events(), told)
  await host.exec('rm /etc/cron.d/mend', { root: true })
})

t.test('systemd comes at the times at which cron does', async t => {
  const field = (least: number, most: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: 2, max: 15 }).map(step => `*/${step}`),
      fc.uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 3 }).map(String),
    )
  const schedules = fc
    .sample(fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)), { numRuns: 60, seed: 7 })
    .map(fields => fields.join(' '))
  const base = new Date('2026-11-23T10:17:30Z')
  const lines = schedules.map(
    schedule =>
      `for e in ${(calendarEvents(schedule) ?? []).map(event => `'${event}'`).join(' ')}; do TZ=UTC systemd-analyze calendar --base-time='2026-11-23 10:17:30' "$e" | sed -n 's/.*Next elapse: ... //p'; done | sort | head -1`,
  )
  const found = (await host.output(lines.join('\n'))).split('\n')
  const expected = schedules.map(
    schedule => `${nextCronRun(schedule, base)?.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  )
  t.same(found, expected)
})
