/** Accounts of a real host: made, changed in each way, locked, removed, and undone; a dry run says what an apply does. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  defineModule,
  definePlaybook,
  file as fileState,
  reconcile,
  secret,
  type TaskList,
  together,
  write,
} from 'sak-reconcile'
import { command, cron, directory, file, user } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)
const root = { root: true } as const

async function run(tasks: TaskList, dryRun = false) {
  const playbook = definePlaybook({ name: 'accounts', tasks: () => tasks })
  const connect = { sshConfigPath: 'none', hostKeyChecking: 'off' } as const
  const report = await reconcile({ playbook, inventory: inventoryOf([host]), dryRun, connect })
  if (!report.hosts[0]?.tasks.length) throw new Error(JSON.stringify(report.hosts))
  return report.hosts[0].tasks
}
const dry = (tasks: TaskList) => run(tasks, true)

/** Applies what a dry run has shown, and so it must be in sync afterwards. */
async function applied(test: Test, tasks: TaskList) {
  const planned = await dry(tasks)
  const done = await run(tasks)
  test.same(
    done.map(({ label, status, error, steps }) => ({ label, status, error, steps })),
    planned.map(({ label, steps }) => ({ label, status: 'changed', error: null, steps })),
    'as the dry run said',
  )
  return planned
}

/** All that the host knows of accounts; the order of members and the ends of files say nothing. */
const accounts = () =>
  host.output(
    'cd /etc; for f in passwd shadow group gshadow subuid subgid; do echo "# $f"; sort $f; done; echo "# homes"; find /home -printf "%p %m %u %g\\n" | grep -vE "\\.(pm2|npm|cache|ssh)" | sort',
    root,
  )

/** A copy of a file: what is foreseen of it shows. */
const copy = defineModule({
  name: 'copy',
  description: 'Keeps a copy of a file.',
  params: z.strictObject({ from: z.string(), to: z.string() }),
  impact: 'none',
  owns: ({ to }) => [to],
  check: async (from, { from: path, to }) => ({
    current: { saved: await from.file(to) },
    desired: { saved: fileState(to, (await from.file(path)).content ?? '') },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})

t.test('a fresh host: what belongs to an account is planned with it', async t => {
  const before = await accounts()
  const tasks = [
    user({ name: 'app', groups: ['adm', 'deploy'], createGroups: true, comment: 'The app' }),
    user({ name: 'worker', system: true, group: 'app', home: '/srv/app' }, { label: 'worker' }),
    directory({ path: '/srv/app', owner: 'app', mode: '0750' }),
    file({ path: '/srv/app/config', owner: 'worker', group: 'app', mode: '0640', content: 'x=1\n' }),
    file({ path: '/home/app/.profile', owner: 'app', content: 'umask 027\n' }, { label: 'profile' }),
    cron({ name: 'nightly', user: 'app', schedule: '@daily', command: '/bin/true' }),
    command({
      argv: ['touch', 'made'],
      as: 'app',
      cwd: '/srv/app',
      creates: '/srv/app/made',
      impact: 'none',
      undo: 'resumable',
    }),
    copy({ from: '/etc/passwd', to: '/root/passwd' }),
    copy({ from: '/etc/group', to: '/root/group' }, { label: 'group' }),
  ]
  const planned = await applied(t, tasks)
  t.same(
    planned.map(({ status }) => status),
    planned.map(() => 'drift'),
    'none blocked, none deferred',
  )
  t.match(planned[4]?.changes[0]?.diff, /^-# ~\/\.profile/m, 'what /etc/skel gives is foreseen')
  t.same(
    (await dry(tasks)).map(({ status, changes }) => ({ status, changes })),
    planned.map(() => ({ status: 'ok', changes: [] })),
  )
  t.match(
    await host.output('id app; id worker'),
    /^uid=1002\(app\) .*4\(adm\).*\(deploy\)\nuid=99\d\(worker\) gid=\d+\(app\)/,
  )
  t.equal(
    await host.output('stat -c %U:%G /srv/app /srv/app/config /srv/app/made /home/app/.bashrc', root),
    'app:app\nworker:app\napp:app\napp:app',
  )
  await host.exec('rm /etc/cron.d/nightly; rm -r /srv/app; groupdel deploy', root)
  await applied(t, [
    user({ name: 'worker', absent: true }, { label: 'worker' }),
    user({ name: 'app', absent: true, removeHome: true }, { label: 'app' }),
  ])
  t.equal(await accounts(), before)
})

t.test('each change is made, and taken back where a later step fails', async t => {
  await applied(t, [user({ name: 'app', uid: 1500, groups: ['adm'], home: '/home/app' })])
  process.env.SAK_TEST_HASH =
    '$6$abcdefgh$DKV3XrBsN9zKcK9lA0TQNbk6lBXG0mLy3cYzYNZP4k9vJ2aYyB7k1mF0aBcdEfGhIjKlMnOpQrStUvWxYz0123'
  const password = secret.env('SAK_TEST_HASH')
  const changes: [string, Partial<z.input<typeof user.params>>][] = [
    ['comment and shell', { comment: 'A. Person, Room 1', shell: '/bin/sh' }],
    ['groups', { groups: ['adm', 'www-data'] }],
    ['groups exactly', { groups: ['www-data'], appendGroups: false }],
    ['new groups', { groups: ['fresh'], createGroups: true }],
    ['primary group', { group: 'www-data' }],
    ['home', { home: '/home/elsewhere' }],
    ['number', { uid: 1600, renumber: true }],
    ['password', { password }],
    ['lock', { locked: true }],
    [
      'all',
      { comment: '', shell: '/bin/sh', groups: [], appendGroups: false, locked: false, uid: 1500, renumber: true },
    ],
    ['password and lock', { password, locked: true, shell: '/bin/dash' }],
    ['absent', { absent: true, removeHome: true }],
  ]
  for (const [what, change] of changes) {
    await t.test(what, async t => {
      const before = await accounts()
      const task = user({ name: 'app', ...change })
      const failing = command({ argv: ['false'], creates: '/nowhere', impact: 'none', undo: [['true']] })
      t.match(await run([together([task, failing])]), [
        { status: 'failed', error: { code: 'together', rollback: 'done' } },
        { status: 'failed', error: { rollback: 'done' } },
      ])
      t.equal(await accounts(), before, 'all is as before')
      await applied(t, [task])
    })
  }
})

/** A login of its own, which is over once the line has run. */
async function login(line: string, as = host.user) {
  const options = ['-F', 'none', '-i', host.privateKeyPath, '-o', `UserKnownHostsFile=${host.knownHostsPath}`]
  return promisify(execFile)('ssh', [
    ...options,
    '-o',
    'BatchMode=yes',
    '-p',
    String(host.port),
    `${as}@${host.address}`,
    line,
  ])
}

t.test('a locked account lets in no key either', async t => {
  await login('true', 'admin')
  await applied(t, [user({ name: 'admin', locked: true })])
  await t.rejects(login('true', 'admin'))
  await applied(t, [user({ name: 'admin', locked: false })])
  await login('true', 'admin')
})

t.test('what runs with old groups is restarted with its unit, or said', async t => {
  await host.exec('rm -r /home/app', root)
  await applied(t, [user({ name: 'app' })])
  await host.exec('systemd-run --quiet --unit=shop --uid=app sleep 600', root)
  t.match(await applied(t, [user({ name: 'app', groups: ['adm'] })]), [
    {
      impact: 'restart',
      changes: [{ key: 'saved' }, { key: 'running', before: { 'shop.service': 'without adm' } }],
      steps: [
        { argv: ['usermod', '--groups', 'adm', 'app'] },
        { kind: 'service', action: 'restart', name: 'shop.service' },
      ],
    },
  ])
  await host.exec('gpasswd -a app www-data', root)
  await host.exec('systemctl restart shop', root)
  t.match(await applied(t, [user({ name: 'app', groups: ['adm'], appendGroups: false })]), [
    { changes: [{ key: 'saved' }, { key: 'running', before: { 'shop.service': 'with www-data' } }] },
  ])
  await host.exec('systemctl stop shop', root)
  await login('sudo -n setsid runuser -u app -- sleep 601 </dev/null >/dev/null 2>&1 &')
  await host.exec("until systemctl show 'session-*.scope' -p SubState | grep abandoned; do sleep 0.2; done")
  t.match(await dry([user({ name: 'app', groups: ['users'] })]), [
    { status: 'blocked', error: { code: 'refused', message: /runs on with the groups that it had.*: sleep \(\d+\)/ } },
  ])
  await applied(t, [user({ name: 'app', groups: ['users'], oldGroups: 'leave' })])
  await host.exec('pkill -x sleep', root)
})

t.test('what cannot be is blocked', async t => {
  const blocked = async (params: z.input<typeof user.params>, code: string, message: RegExp) =>
    t.match(await dry([user(params)]), [{ status: 'blocked', error: { code, message } }])
  await host.exec('systemd-run --quiet --unit=shop2 --uid=app sleep 600', root)
  await blocked(
    { name: 'app', absent: true },
    'refused',
    /app is logged in or has processes.*cannot be removed: sleep \(\d+\)/,
  )
  await blocked({ name: 'app', uid: 1700, renumber: true }, 'refused', /cannot get another number: sleep/)
  await blocked({ name: 'app', home: '/home/other' }, 'refused', /cannot get another home: sleep/)
  await host.exec('systemctl stop shop2', root)
  await blocked({ name: 'app', uid: 1700 }, 'refused', /files outside of \/home\/app would keep/)
  await blocked({ name: 'app', uid: 1000, renumber: true }, 'refused', /1000 is that of ubuntu/)
  await blocked({ name: 'app', groups: ['dokcer'] }, 'no-such-user', /no group dokcer/)
  await blocked({ name: 'new', shell: '/bin/zsh' }, 'refused', /no program \/bin\/zsh/)
  await blocked({ name: 'new', home: '/srv/x/y' }, 'refused', /no directory \/srv\/x/)
  await blocked({ name: 'new', home: '/home/admin' }, 'refused', /\/home\/admin is there already, and belongs to admin/)
  process.env.SAK_TEST_PLAIN = 'correct horse battery staple'
  t.match(await run([user({ name: 'app', password: secret.env('SAK_TEST_PLAIN') })]), [
    { status: 'failed', error: { said: /no hash of a password/, rollback: 'done' } },
  ])
})
