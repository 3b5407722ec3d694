import assert from 'node:assert/strict'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { isSakError } from '../../src/core/errors.ts'
import { hostFrom, type Read } from '../../src/core/host.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { countTrips } from '../../src/engine/counted.ts'
import { parseAnswers } from '../../src/engine/read-answer.ts'
import { readCap, readScript } from '../../src/engine/read-script.ts'
import { shellConnection, shells } from './shell.ts'

const isRoot = userInfo().uid === 0

function hostOver(argv: readonly string[], noise = '') {
  const connection = countTrips(shellConnection(argv, noise), 'here')
  const { ask } = batchReads(connection, { deadlineMs: 60_000 })
  return { host: hostFrom(ask), trips: connection.trips }
}

const codeOf = async (reading: Promise<unknown>) => {
  try {
    await reading
    return 'no error'
  } catch (error) {
    return isSakError(error) ? error.code : error
  }
}

for (const shell of shells) {
  t.test(`reads under ${shell.join(' ')}`, async t => {
    const folder = t.testdir({
      'a.conf': 'a\n',
      'b.conf': 'no newline',
      '.hidden.conf': 'x',
      "odd 'name\n.conf": 'odd',
    })
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
    await writeFile(join(folder, 'bytes'), bytes)
    await symlink('a.conf', join(folder, 'link'))
    await symlink('nowhere', join(folder, 'dangling'))
    await mkdir(join(folder, 'directory'))
    const { host, trips } = hostOver(shell, '\u001b[31mWelcome!\nsak-nonsense 0 file\n$ ')

    const [a, b, none, binary, link, dangling, all, stat, gone, command, missing, stdin, proc] = await Promise.all([
      host.file(join(folder, 'a.conf')),
      host.file(join(folder, 'b.conf')),
      host.file(join(folder, 'none/at/all')),
      host.file(join(folder, 'bytes')),
      host.file(join(folder, 'link')),
      host.file(join(folder, 'dangling')),
      host.files([join(folder, '*.conf'), join(folder, 'a.*'), join(folder, 'nothing*')]),
      host.stat(folder),
      host.stat(join(folder, 'gone')),
      host.command(['sh', '-c', 'printf "out\\0"; printf "err" >&2; exit 7']),
      host.command(['no-such-program']),
      host.command(['cat'], { stdin: "it's\n\\ $HOME `x`" }),
      host.file('/proc/self/status'),
    ])

    t.equal(a.content, 'a\n')
    t.match(a, { mode: /^0[0-7]{3}$/, owner: userInfo().username, stat: { type: 'file', size: 2 } })
    t.equal(b.content, 'no newline', 'no newline is added')
    t.equal(none.content, null)
    t.equal(binary.content, bytes.toString('latin1'))
    t.equal(binary.binary, true)
    t.equal(link.content, 'a\n')
    t.equal(link.stat?.realPath, join(folder, 'a.conf'))
    t.equal(dangling.content, null)
    t.same(
      all.map(file => file.content),
      ['a\n', 'no newline', 'odd'],
      'sorted, each once, no dotfiles, any name',
    )
    t.match(stat, { type: 'directory' })
    t.equal(gone, null)
    t.same(command, { code: 7, stdout: 'out\0', stderr: 'err' })
    t.equal(missing.code, 127)
    t.equal(stdin.stdout, "it's\n\\ $HOME `x`", 'what a command reads is not changed')
    t.match(proc.content, /^Name:/, 'files of /proc have no size and are read all the same')
    t.equal(trips(), 1, 'all of that was one trip')
  })

  t.test(`more files than a program takes arguments under ${shell.join(' ')}`, async t => {
    const folder = t.testdir({})
    const names = Array.from({ length: 1200 }, (_, index) => `${'long'.repeat(25)}-${index}`)
    await Promise.all(names.map(name => writeFile(join(folder, name), name)))
    const { host, trips } = hostOver(['sh', '-c', 'ulimit -s 512; exec "$@"', 'sh', ...shell])
    const [all, first, last] = await Promise.all([
      host.files([join(folder, '*-*'), join(folder, '*-1*'), join(folder, '*-9?')]),
      ...['0', '1199'].map(index => host.files([join(folder, `*-${index}`)])),
    ])
    t.same(all.map(file => file.content).sort(), [...names].sort())
    t.match([first, last], [[{ content: names[0] }], [{ content: names[1199] }]])
    t.equal(trips(), 1)
  })

  t.test(`what cannot be read under ${shell.join(' ')}`, async t => {
    const folder = t.testdir({ large: 'x', directory: {} })
    await writeFile(join(folder, 'large'), Buffer.alloc(readCap + 1, 'x'))
    const { host } = hostOver(shell)
    const [directory, large, endless, slow, user] = await Promise.all([
      codeOf(host.file(join(folder, 'directory'))),
      codeOf(host.file(join(folder, 'large'))),
      codeOf(host.command(['yes'], { timeout: '30s' })),
      codeOf(host.command(['sleep', '30'], { timeout: '1s' })),
      codeOf(host.command(['true'], { as: 'no-such-user-here' })),
    ])
    t.equal(directory, 'refused')
    t.equal(large, 'answer-too-large')
    t.equal(endless, 'answer-too-large')
    t.equal(slow, 'timeout')
    t.equal(user, 'no-such-user')
  })
}

t.test('a user who may not look is told so, and never an empty answer', { skip: !isRoot && 'needs root' }, async t => {
  const folder = t.testdir({ secret: 'x', closed: { file: 'x' } })
  await chmod(join(folder, 'secret'), 0o600)
  await chmod(join(folder, 'closed'), 0o700)
  await chmod(folder, 0o755)
  const outside = '/tmp/sak-read-test'
  await mkdir(outside, { recursive: true, mode: 0o700 })
  const { host } = hostOver(['runuser', '-u', 'nobody', '--', 'dash'])
  const [inside, list, stat, absent, root, own] = await Promise.all([
    codeOf(host.file(`${outside}/file`)),
    codeOf(host.files([`${outside}/*`])),
    codeOf(host.stat(`${outside}/deep/er`)),
    codeOf(host.file('/etc/no-such-file-here')),
    codeOf(host.command(['id'], { as: 'root' })),
    host.command(['id', '-un'], { as: 'nobody' }),
  ])
  t.equal(inside, 'needs-root')
  t.equal(list, 'needs-root')
  t.equal(stat, 'needs-root')
  t.equal(absent, 'no error', 'what is really not there is absent')
  t.equal(root, 'needs-root')
  t.equal(own.stdout, 'nobody\n')
})

t.test('commands of a trip run side by side', async t => {
  const { host, trips } = hostOver(['dash'])
  const start = 'date +%s.%N; sleep 0.4; date +%s.%N'
  const results = await Promise.all([1, 2, 3, 4].map(n => host.command(['sh', '-c', `${start}; : ${n}`])))
  const spans = results.map(result => result.stdout.trim().split('\n').map(Number))
  const begins = spans.map(span => span[0] ?? 0)
  const ends = spans.map(span => span[1] ?? 0)
  const lastBegin = Math.max(...begins)
  const firstEnd = Math.min(...ends)
  t.ok(lastBegin < firstEnd, 'the last has begun before the first has ended')
  t.equal(trips(), 1)
})

t.test('equal reads are asked once, and a later tick is another trip', async t => {
  const { host, trips } = hostOver(['dash'])
  const count = 'date +%s%N'
  const [one, two] = await Promise.all([host.command(['sh', '-c', count]), host.command(['sh', '-c', count])])
  t.equal(one.stdout, two.stdout)
  t.equal((await host.command(['sh', '-c', count])).stdout, one.stdout, 'also later')
  t.equal(trips(), 1)
  await host.file('/etc/hostname')
  t.equal(trips(), 2)
})

t.test('a cut answer is an error, wherever it is cut', async t => {
  const reads: Read[] = [
    { kind: 'file', path: '/etc/passwd' },
    { kind: 'command', argv: ['echo', 'hello'], options: {} },
  ]
  const whole = await shellConnection().run(readScript(reads, 'nonce-1'), { deadlineMs: 1000 })
  const all = parseAnswers(reads, 'nonce-1', whole.stdout)
  t.notOk(all.some(isSakError))
  fc.assert(
    fc.property(fc.nat(whole.stdout.lastIndexOf('nonce-1 end')), cut => {
      let code: unknown
      try {
        parseAnswers(reads, 'nonce-1', whole.stdout.subarray(0, cut))
      } catch (error) {
        code = isSakError(error) ? error.code : error
      }
      return code === 'answer-broken'
    }),
  )
})

t.test('what was written while it was read counts only as it was read alone', t => {
  const stat = (size: number, path: string) => `n - stat 81a4:root:root:${size}:8:512:1.0:1.0:=${path}\n`
  const reads: Read[] = [
    { kind: 'file', path: '/a' },
    { kind: 'file', path: '/b' },
  ]
  const answer = (...lines: string[]) => {
    const output = `\n${stat(4, '/a')}${stat(2, '/b')}n - files /a /b\n${lines.join('\n')}\nn end\n`
    return parseAnswers(reads, 'n', Buffer.from(output)).map(each => ('file' in each ? each.file.content : each))
  }
  t.strictSame(answer('one\n12', 'n - whole'), ['one\n', '12'])
  const alone = ['n - file =/a', 'longer\n', 'n - whole', 'n - file =/b', '', 'n - whole']
  t.strictSame(answer('long12', 'n - torn', ...alone), ['longer\n', ''])
  t.match(answer('one\n12', 'n - torn'), [{ code: 'answer-broken' }, { code: 'answer-broken' }])
  t.throws(() => answer('one\n1', 'n - whole'), { code: 'answer-broken' })
  t.end()
})

t.test(
  'a file that fails while it is read is an error, never an empty file',
  { skip: !isRoot && 'needs root' },
  async t => {
    for (const shell of shells) {
      t.equal(await codeOf(hostOver(shell).host.file('/proc/1/mem')), 'read-failed', shell.join(' '))
    }
  },
)

t.test('no program is told the nonce in its arguments, where everybody on the host could read it', async t => {
  const folder = t.testdir({ plain: 'x', 'odd name': 'x' })
  const reads: Read[] = [
    { kind: 'file', path: join(folder, 'plain') },
    { kind: 'files', globs: [join(folder, '*')] },
    { kind: 'file', path: '/proc/self/status' },
    { kind: 'command', argv: ['echo', 'hello'], options: { stdin: 'x' } },
  ]
  const { stderr } = await shellConnection(['dash', '-x']).run(readScript(reads, 'sak-secret'), { deadlineMs: 1000 })
  const calls = stderr.toString().split('\n')
  const programs = calls.filter(line => /^\++ (stat|cat|head|tail|base64|readlink|id|env|runuser|getent) /.test(line))
  t.ok(programs.length >= 8)
  t.same(
    programs.filter(line => line.includes('sak-secret')),
    [],
  )
})

t.test('a script that was cut on its way does nothing', async t => {
  const folder = t.testdir({})
  const script = readScript([{ kind: 'command', argv: ['touch', join(folder, 'made')], options: {} }], 'n')
  for (const cut of [script.length - 2, script.length - 5, Math.floor(script.length / 2)]) {
    const { stdout } = await shellConnection().run(script.slice(0, cut), { deadlineMs: 1000 })
    t.equal(stdout.toString(), '')
  }
})

t.test('any argument and any input comes back unchanged', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).filter(value => !value.includes('\0'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 5, maxLength: 20 }), async pairs => {
      const { host } = hostOver(['dash'])
      const results = await Promise.all(
        pairs.map(([arg, stdin]) => host.command(['sh', '-c', 'printf "%s|" "$1"; cat', 'sh', arg], { stdin })),
      )
      const expected = pairs.map(([arg, stdin]) => `${toWellFormed(arg)}|${toWellFormed(stdin)}`)
      assert.deepEqual(
        results.map(result => result.stdout),
        expected,
      )
    }),
    { numRuns: 20 },
  )
})

/** What UTF-8 makes of a lone surrogate. */
const toWellFormed = (value: string) => Buffer.from(value).toString('utf8')
