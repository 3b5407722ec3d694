import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import type { z } from 'zod'
import { adopt } from '../../modules/user/adopt.ts'
import { user } from '../../modules/user/module.ts'
import { staleOf } from '../../modules/user/processes.ts'
import { lockOf, parseShadow } from '../../modules/user/shadow.ts'
import { secret, type Task } from '../../src/index.ts'
import { brokenLaws, type FakeHostState, fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/user', import.meta.url)), user)
  t.ok(cases.length >= 20)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

t.test('params', async t => {
  const refuses = (params: z.input<typeof user.params>, error: RegExp) =>
    t.throws(() => user(params), { message: error })
  refuses({ name: 'app', password: '$6$abc$def' }, /password.*expected a secret/s)
  refuses({ name: 'app', password: `x${secret.env('HASH')}\n` }, /expected a secret/)
  refuses({ name: 'app', comment: 'a:b' }, /comment.*without ":"/s)
  refuses({ name: 'app', home: '/srv/a:b' }, /home.*without ":"/s)
  refuses({ name: 'app', uid: 0 }, /uid/)
  refuses({ name: 'root', absent: true }, /root cannot be removed/)
  refuses({ name: 'app', removeHome: true }, /goes with absent/)
  refuses({ name: 'app', group: 'app', groups: ['app'] }, /primary group already/)
  t.equal(user({ name: 'app' }).impact, 'none')
  t.equal(user({ name: 'app', groups: ['adm'] }).impact, 'restart')
  t.equal(user({ name: 'app', groups: ['adm'], oldGroups: 'leave' }).impact, 'none')
  t.equal(user({ name: 'app', absent: true }).impact, 'data')
})

t.test('what keeps everybody out', async t => {
  const lock = (password: string, expire: string) => {
    const shadow = parseShadow(`x:y\napp:${password}:5:0:99999:7::${expire}:\n`, 'app', 20_000)
    return shadow && lockOf(shadow)
  }
  t.equal(lock('$6$a$b', ''), 'no')
  t.equal(lock('!', ''), 'no', 'no password is no lock: keys may be let in')
  t.equal(lock('*', '20001'), 'no')
  t.equal(lock('!$6$a$b', ''), 'only its password')
  t.equal(lock('$6$a$b', '1'), 'only by its date')
  t.equal(lock('!$6$a$b', '20000'), 'yes')
  t.equal(lock('*', '1'), 'yes')
  t.equal(parseShadow('', 'app', 1), undefined)
})

const accounts = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n',
  '/etc/group': 'root:x:0:\napp:x:1000:\nadm:x:4:\nweb:x:5:app\n',
  '/usr/sbin/useradd': '',
  '/bin/bash': '',
  '/bin/sh': '',
  '/home': { type: 'directory' },
  '/home/app': { type: 'directory', owner: 'app' },
} as const

/** A host with this in the place of the password. */
function hostWith(shadow: string): FakeHostState {
  return {
    files: accounts,
    commands: [
      { argv: ['getent', 'shadow', 'app'], as: 'root', stdout: `app:${shadow}:5:0:99999:7:::\n` },
      { argv: ['date', '+%s'], stdout: String(20_000 * 86_400) },
      { argv: ['getent', 'passwd', 'app'], stdout: 'app:x:1000:1000::/home/app:/bin/sh\n' },
      { argv: ['getent', 'passwd', 'ldap'], stdout: 'ldap:*:5000:5000::/:/bin/sh\n' },
    ],
  }
}

t.test('a password goes by standard input, and back as it was', async t => {
  const hash = secret.env('HASH')
  const { changes, steps } = await user({ name: 'app', password: hash }).assess(fakeHost(hostWith('!old')))
  t.match(changes, [{ key: 'login', before: { password: 'another' }, after: { password: String(hash) } }])
  t.match(steps, [
    {
      kind: 'run',
      argv: ['sh', '-c', /chpasswd --encrypted/, 'sh', 'app'],
      stdin: /^app:saksecret_\d+_line_\w+\n$/,
      undo: [{ argv: ['chpasswd', '--encrypted'], stdin: 'app:!old\n' }, { argv: ['chage', '--lastday', '5', 'app'] }],
    },
    { argv: ['usermod', '--lock', 'app'] },
  ])
  t.notMatch(steps.map(step => 'argv' in step && step.argv.join(' ')).join(), /saksecret|old/)
  const same = await user({ name: 'app', password: hash, locked: false }).assess(fakeHost(hostWith(`${hash}`)))
  t.same(same.changes, [])
})

t.test('a password and a lock of its own are in sync once they are set', async t => {
  const hash = secret.env('HASH')
  for (const before of ['!', '*', '', '$6$a$b', '!$6$a$b', String(hash), `!${hash}`]) {
    for (const locked of [true, false]) {
      const task = user({ name: 'app', password: hash, locked })
      const broken = await brokenLaws(task, hostWith(before), {
        does: (step, host) => {
          if (step.kind !== 'run') return host
          return {
            ...host,
            commands: host.commands?.map(each => (each.argv[1] === 'shadow' ? shadowAfter(step, each) : each)) ?? [],
          }
        },
      })
      t.same(broken, [], `${before} ${locked}`)
    }
  }
})

type FakeCommand = NonNullable<FakeHostState['commands']>[number]

/** What chpasswd and usermod make of a line of /etc/shadow. */
function shadowAfter({ argv, stdin }: { argv: readonly string[]; stdin?: string }, command: FakeCommand): FakeCommand {
  const fields = (command.stdout ?? '').split(':')
  if (stdin !== undefined) fields[1] = stdin.slice('app:'.length).trimEnd().replace('_line_', '_raw_')
  const password = fields[1] ?? ''
  if (argv.includes('--lock')) fields[1] = `!${password}`
  if (argv.includes('--unlock')) fields[1] = password.slice(1)
  const at = argv.indexOf('--expiredate')
  if (at >= 0) fields[7] = argv[at + 1] ?? ''
  return { ...command, stdout: fields.join(':') }
}

t.test('another source of names is not edited', async t => {
  const found = await user({ name: 'ldap' }).assess(fakeHost(hostWith('*')))
  t.match(found.blocked, [{ code: 'unsupported', message: /another source of names/ }])
})

t.test('what runs with old groups: units, and what nobody could restart', async t => {
  const process = (unit: string, gids: number[], more = {}) => ({
    pid: 7,
    name: 'node',
    own: true,
    gids,
    unit,
    ...more,
  })
  const groups = { wanted: [{ name: 'adm', gid: 4, members: [] }], unwanted: [{ name: 'web', gid: 5, members: [] }] }
  const running = {
    processes: [
      process('shop.service', [1000]),
      process('fine.service', [1000, 4]),
      process('old.service', [4, 5]),
      process('cron.service', [1000]),
      process('session-1.scope', [1000]),
      process('session-2.scope', [1000]),
      process('user@1000.service', [1000]),
      process('setuid.service', [0], { own: false }),
    ],
    abandoned: ['session-2.scope'],
    lingers: false,
  }
  t.match(staleOf(running, groups), {
    units: { 'shop.service': 'without adm', 'old.service': 'with web' },
    strays: [{ unit: 'session-2.scope' }],
  })
  const pam = process('user@1000.service', [], { name: '(sd-pam)' })
  const lingering = { ...running, processes: [...running.processes, pam], lingers: true }
  t.match(staleOf(lingering, groups).units, { 'user@1000.service': 'without adm' })
  t.same(staleOf({ ...lingering, processes: [pam] }, groups), { units: {}, strays: [] })
})

t.test('the laws hold for any account as it may be', async () => {
  const groups = fc.subarray(['adm', 'web', 'new'])
  const params = fc.record(
    {
      name: fc.constantFrom('app', 'other'),
      uid: fc.constantFrom(1000, 1500),
      renumber: fc.constant(true),
      groups,
      appendGroups: fc.boolean(),
      createGroups: fc.constant(true),
      comment: fc.constantFrom('', 'A. Person'),
      shell: fc.constantFrom('/bin/sh', '/bin/bash'),
      system: fc.boolean(),
      oldGroups: fc.constant('leave' as const),
    },
    { requiredKeys: ['name', 'createGroups', 'renumber', 'oldGroups', 'shell'] },
  )
  await fc.assert(
    fc.asyncProperty(params, async each => {
      const task = user(each)
      return (await brokenLaws(task, await withSilence(task, hostWith('*')))).length === 0
    }),
    { numRuns: 200 },
  )
})

/** The host, where all else that a check runs finds nothing. */
async function withSilence(task: Task, host: FakeHostState): Promise<FakeHostState> {
  const commands = [...(host.commands ?? [])]
  await task.assess({
    ...fakeHost(host),
    command: async argv => {
      commands.push({ argv: [...argv], code: 2 })
      return { code: 2, stdout: '', stderr: '' }
    },
  })
  return { ...host, commands }
}

t.test('people are adopted, services are not', async t => {
  const files = {
    '/etc/passwd': `${accounts['/etc/passwd']}bob:x:1001:5:Bob,,,:/srv/bob:/bin/bash\nsvc:x:999:999::/:/bin/sh\nodd.name:x:1002:5::/x:/bin/sh\n`,
    '/etc/group': accounts['/etc/group'],
  }
  t.same(await adopt(fakeHost({ files })), [
    { name: 'app', groups: ['web'], appendGroups: false, shell: '/bin/sh' },
    { name: 'bob', group: 'web', groups: [], appendGroups: false, home: '/srv/bob', comment: 'Bob,,,' },
  ])
  t.type(await adopt(fakeHost({ files: {} })), 'string')
})
