import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { madison, simulateInstall } from '../../modules/packages/apt.ts'
import { whyStale } from '../../modules/packages/found.ts'
import { packages } from '../../modules/packages/module.ts'
import { isVersion, Params } from '../../modules/packages/params.ts'
import {
  inWords,
  parseAutomatic,
  parseListTimes,
  parseMadison,
  parseRows,
  parseSimulation,
  rowFormat,
} from '../../modules/packages/parse.ts'
import { listTimes, putBackBy } from '../../modules/packages/scripts.ts'
import { isSakError, type Step } from '../../src/index.ts'
import { brokenLaws, fakeHost, runCases } from '../../src/testing.ts'

const cases = await runCases(fileURLToPath(new URL('../../fixtures/packages', import.meta.url)), packages)
const assessmentOf = (wanted: string) => cases.find(({ name }) => name === wanted)?.assessment
const stepsOf = (name: string) => assessmentOf(name)?.steps ?? []
const aptIn = (steps: readonly Step[]) => {
  const step = steps.find(each => each.kind === 'run' && each.argv[0] === 'apt-get')
  if (step?.kind !== 'run') throw new Error('no step runs apt-get')
  return step
}

t.test('cases', async t => {
  t.ok(cases.length >= 30)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

t.test('what nobody named is shown, and what it does to the host', async t => {
  t.match(assessmentOf('upgrade')?.changes, [
    { key: 'installed', before: { 'sak-app': '1.0' }, after: { 'sak-app': '2.0' } },
    { key: 'others', before: { 'sak-lib': '1.0' }, after: { 'sak-lib': '2.0' } },
  ])
  const impacts = ['stock', 'upgrade', 'removed', 'purged', 'half-configured', 'no-lists'].map(name => [
    name,
    aptIn(stepsOf(name)).impact,
  ])
  t.same(Object.fromEntries(impacts), {
    stock: 'none',
    upgrade: 'restart',
    removed: 'restart',
    purged: 'data',
    'half-configured': 'restart',
    'no-lists': 'restart',
  })
})

t.test('how it goes back', async t => {
  const undoOf = (name: string) => aptIn(stepsOf(name)).undo
  t.match(undoOf('stock'), [{ stdin: 'sak-lib none\nsak-app none\n' }])
  t.match(undoOf('new-over-old-configuration'), [{ stdin: 'sak-app config\n' }])
  t.match(undoOf('upgrade'), [{ stdin: 'sak-lib 1.0\nsak-app 1.0\n' }, { argv: ['apt-mark', 'auto', 'sak-lib'] }])
  t.match(undoOf('rival-let'), [{ stdin: /^sak-rival none\n(?=.*sak-app 1.0)(?=.*sak-lib 1.0)/s }, {}])
  t.equal(undoOf('no-way-back'), 'none', 'apt has the old version no more')
  t.equal(undoOf('purged'), 'none')
  t.equal(undoOf('half-configured'), 'resumable')
  t.match(undoOf('no-lists'), [{ stdin: /^perl-base \d/m }], 'all that was there')
})

t.test('apt is held to what was planned', async t => {
  const argv = (name: string) => aptIn(stepsOf(name)).argv.join(' ')
  t.match(argv('upgrade'), / --no-remove install sak-lib=2.0 sak-app=2.0$/)
  t.match(argv('downgrade-let'), / --no-remove --allow-downgrades install sak-app=1.0$/)
  t.match(argv('rival-let'), /(?<!--no-remove) install sak-rival=1.0 (sak-app-|sak-lib-) (sak-app-|sak-lib-)$/)
  t.match(argv('several-no-lists'), / --no-install-recommends --no-remove install sak-lib=1.0 sak-broken=1.0$/)
  t.match(argv('removed'), / remove sak-app$/)
  t.match(argv('purged'), / purge sak-app$/)
  t.match(argv('half-configured'), / install sak-broken=1.0$/)
  t.match(argv('half-configured-by-the-way'), / install sak-provider=1.0$/, 'what is named would be marked as wanted')
  for (const name of ['upgrade', 'purged', 'no-lists']) {
    t.match(aptIn(stepsOf(name)).env, { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' })
  }
})

t.test('what stands in the way is said with what to do', async t => {
  const blockedBy = (name: string) =>
    (assessmentOf(name)?.blocked ?? []).map(({ message, hint }) => `${message}; ${hint}`).join('\n')
  t.equal(blockedBy('downgrade'), "apt would go back: sak-app from 2.0 to 1.0; mayDowngrade: ['sak-app'] lets it")
  t.match(blockedBy('needed-by-others'), "apt would remove sak-app 1.0; mayRemove: ['sak-app'] lets it")
  t.match(blockedBy('unknown-version'), /Version '9.9' for 'sak-lib' was not found; apt has 2.0, 1.0$/)
  t.match(blockedBy('unknown-name'), /Unable to locate package sak-nothing; look for its name/)
  t.match(blockedBy('virtual'), /sak-virtual is no package.* apt would take sak-provider; name the package itself/)
  t.match(blockedBy('held-by-somebody'), /^sak-app is held .*; hold: true or false lets this task rule that$/)
  t.match(assessmentOf('held-by-the-way')?.blocked, [{ said: /sak-app : Depends: sak-lib/ }])
})

t.test('the laws, on a host that does what apt would', async t => {
  const query = ['dpkg-query', '--show', `--showformat=${rowFormat}`]
  const params = Params.parse({ name: 'app', version: '2.0', hold: true })
  const host = (row: string) => ({
    commands: [
      { argv: listTimes, stdout: '1000\n900 lists\n900 x_Packages\n' },
      { argv: ['dpkg', '--print-architecture'], stdout: 'amd64\n' },
      { argv: [...query, 'app'], stdout: row },
      { argv: query, stdout: row },
      {
        argv: [...simulateInstall(params, ['app=2.0'])],
        stdout: 'Inst app [1.0] (2.0 r [all])\nConf app (2.0 r [all])\n',
      },
      { argv: [...madison(['app'])], stdout: 'app | 1.0 | r Packages\n' },
    ],
  })
  const seen: string[] = []
  const left = await brokenLaws(packages.parse({ name: 'app', version: '2.0', hold: true }), host('hi \tapp\t1.0\n'), {
    does: (step, state) => {
      const [verb] = step.kind === 'run' ? step.argv.filter(arg => ['install', 'hold', 'unhold'].includes(arg)) : []
      if (step.kind === 'run') seen.push(verb ?? step.argv.join(' '))
      if (verb === 'hold') return host('hi \tapp\t2.0\n')
      return verb === 'install' ? host('ii \tapp\t2.0\n') : state
    },
  })
  t.same(left, [])
  t.same(seen.slice(0, 3), ['unhold', 'install', 'hold'])
})

t.test('how old the lists are', async t => {
  const source = { kind: 'file', path: '/etc/apt/sources.list', content: 'deb' } as const
  const stat = {
    type: 'file',
    mode: '0644',
    owner: 'root',
    group: 'root',
    size: 3,
    allocated: 3,
    mtime: 0,
    ctime: 800,
  } as const
  const params = Params.parse({ name: 'app', listsMaxAge: '1m' })
  const why = (times: string, ctime = 800) =>
    whyStale({ times: parseListTimes(times), sources: [{ ...source, stat: { ...stat, ctime } }] }, params)
  t.equal(why('1000\n950.5 lists\n940 a_Packages\n'), undefined)
  t.equal(why('1000\n950.5 lists\n'), 'none')
  t.equal(why('1000\n'), 'none')
  t.equal(why('1000\n930 lists\n920 a_Packages.lz4\n'), 'older than 1m')
  t.equal(why('1000\n990 lists\n990 a_Packages\n', 991), 'older than /etc/apt/sources.list')
})

t.test('what dpkg and apt print', async t => {
  const rows = parseRows(
    'ii \tlibc6:amd64\t2.36\nhi \tlibc6:i386\t2.36\niFR\ta\t1\nrc \tb\t1\nun \tc\t\niU \td\t1\nit \te\t1\n',
    'amd64',
  )
  t.same(
    [...rows].map(([name, row]) => `${name}: ${inWords(row)}`),
    [
      'libc6: 2.36',
      'libc6:i386: 2.36',
      'a: 1, half-configured',
      'b: only its configuration',
      'c: not installed',
      'd: 1, unpacked, not configured',
      'e: 1, has triggers to run',
    ],
  )
  t.equal(inWords({ status: 'iiR', version: '1' }), '1, to be reinstalled')
  const simulated = parseSimulation(`The following packages will be DOWNGRADED:
  a
  b:i386 c
The following held packages will be changed:
  c
Remv x [1] [y:amd64 ]
Purg x [1]
Inst a [2:1.1-1] (2:1.0-1~bpo+1 Debian:12.1/stable, Debian-Security:12/stable-security [amd64]) []
Inst b:i386 (3 r [i386])
Conf a (2:1.0-1~bpo+1 r [amd64])
Conf z (4 r [all])
`)
  t.same(simulated, {
    installs: [
      { name: 'a', from: '2:1.1-1', to: '2:1.0-1~bpo+1' },
      { name: 'b:i386', from: undefined, to: '3' },
    ],
    removes: ['x'],
    configures: [{ name: 'z', version: '4' }],
    downgrades: ['a', 'b:i386', 'c'],
    held: ['c'],
  })
  const known = parseMadison(
    ' a | 2 | http://d b/main amd64 Packages\n a | 2 | http://s b/main amd64 Packages\n a | 1 | http://d b/main Sources\nN: no\n',
  )
  t.same([...known], [['a', ['2']]])
  const automatic =
    'Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nArchitecture: i386\nAuto-Installed: 1\n\nPackage: c\nArchitecture: amd64\nAuto-Installed: 0\n'
  t.same([...parseAutomatic(automatic, 'amd64')], ['a', 'b:i386'])
  t.same(
    [isVersion('1.22.1-9', '1.22.*'), isVersion('1.2', '1.22.*'), isVersion('1', undefined), isVersion('1.0-1', '1.0')],
    [true, false, true, false],
  )
})

/** What apt-get is told to put packages back, on a host where dpkg knows these. */
function putBack(t: Test, { now, was, mode }: { now: string; was: string; mode: 'listed' | 'whole' }): string {
  const bin = t.testdir({ table: now })
  const program = (name: string, body: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  program('dpkg-query', `cat ${join(bin, 'table')}`)
  program('dpkg', 'echo amd64')
  program('apt-get', 'echo "$@"')
  const [sh = '', ...args] = putBackBy(mode, ['apt-get', '-y'])
  return execFileSync(sh, args, { input: was, encoding: 'utf8', env: { PATH: `${bin}:${process.env.PATH}` } })
}

t.test('packages are put back as they were, and nothing else is touched', async t => {
  const now =
    'same =1 ii\nchanged =2 ii\nbroken =2 iF\nnew:amd64 =1 iF\nnew:i386 =1 ii\nleft =1 rc\nconf =3 ii\nother =9 ii\n'
  const was = 'same 1\nchanged 1\nbroken 2\nnew none\nnew:i386 none\nleft none\nconf config\ngone 4:1\n'
  t.equal(
    putBack(t, { now, was, mode: 'listed' }),
    `-y --allow-downgrades install changed=1 broken=2 new- new:i386- conf- gone=4:1
-y purge new new:i386 left\n`,
  )
  t.equal(putBack(t, { now: 'same =1 ii\n', was: 'same 1\nnever none\n', mode: 'listed' }), '', 'nothing was done yet')
  t.equal(
    putBack(t, { now: 'a =1 ii\nb =1 iF\nc =1 ii\nd =0 un\n', was: 'a 1\nb -\n', mode: 'whole' }),
    '-y --allow-downgrades install c-\n-y purge c\n',
  )
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      packages.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  for (const name of ['g++', 'libc6:i386', 'python3.11', ['a1', 'b1', 'a1']]) t.equal(message({ name }), undefined)
  for (const name of ['Nginx', 'nginx=1.2', 'nginx-', '-y', 'a*', 'a b', '../a.deb', '', []])
    t.match(message({ name }), /^packages: name/)
  for (const version of ['1:9.2p1-2+deb12u3', '1.22.*', '2~rc1']) t.equal(message({ name: 'a1', version }), undefined)
  for (const version of ['*', '1 2', '-1', '1/stable']) t.match(message({ name: 'a1', version }), /expected a version/)
  t.match(message({ name: 'a1', state: 'absent', version: '1' }), /absent has none/)
  t.match(message({ name: 'a1', state: 'absent', hold: true }), /cannot be held/)
  t.match(message({ name: 'a1', purge: true }), /goes with state: "absent"/)
  t.same(packages({ name: ['b1', 'a1', 'b1'] }).owns, ['apt:b1', 'apt:a1'])
})

t.test('a host without dpkg', async t => {
  const commands = [
    { argv: listTimes, code: 1 },
    { argv: ['dpkg-query', '--show', `--showformat=${rowFormat}`, 'a1'], code: 127 },
    { argv: ['dpkg', '--print-architecture'], code: 127 },
  ]
  await t.rejects(packages({ name: 'a1' }).assess(fakeHost({ commands })), { code: 'unsupported' })
})
