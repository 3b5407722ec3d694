import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { timer } from '../../modules/timer/module.ts'
import { calendarFault } from '../../modules/timer/parse.ts'
import { commandLine, quoteWord } from '../../modules/timer/quote.ts'
import { isSakError } from '../../src/index.ts'
import { fakeHost, runCases } from '../../src/testing.ts'

const cases = await runCases(fileURLToPath(new URL('../../fixtures/timer', import.meta.url)), timer)

t.test('cases', async t => {
  t.ok(cases.length >= 20)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

t.test('the units are as people would write them', async t => {
  const { assessment } = cases.find(({ name }) => name === 'stock') ?? {}
  const written = (assessment?.steps ?? []).flatMap(step => (step.kind === 'write' ? [step.content] : []))
  const clean = written.map(content => content.replace(/#[0-9a-f]{16}$/m, '#DIGEST'))
  t.same(clean, [
    `# Managed by sak-reconcile: changes made by hand are undone.
[Unit]
Description=backup
Documentation=file:/etc/systemd/system/backup.timer#DIGEST

[Timer]
OnCalendar=03:10
Persistent=yes
AccuracySec=1m

[Install]
WantedBy=timers.target
`,
    `# Managed by sak-reconcile: changes made by hand are undone.
[Unit]
Description=backup
Documentation=file:/etc/systemd/system/backup.service#DIGEST

[Service]
Type=oneshot
ExecStart=/usr/local/bin/backup --date 100%%
NoNewPrivileges=yes
`,
  ])
})

/** How systemd reads a quoted word; held against the real one in test/e2e/timer.test.ts. */
function asSystemdReads(word: string): string {
  const inner = word.startsWith('"') ? word.slice(1, -1) : word
  const bytes = inner.replaceAll('%%', '%').replaceAll(/\\(x[0-9a-f]{2}|.)/g, (_, what: string) => {
    if (what.startsWith('x')) return String.fromCharCode(Number.parseInt(what.slice(1), 16))
    return { n: '\n', t: '\t', r: '\r' }[what] ?? what
  })
  return bytes
}

t.test('quoting', async t => {
  const text = fc.string({ unit: fc.constantFrom('%', '\\', '"', "'", ' ', '$', 'a', '\n', '\t', '\r', '\x01', 'é') })
  fc.assert(
    fc.property(text, value => {
      const word = quoteWord(value)
      return (
        asSystemdReads(word) === value &&
        !/[\n\r]/.test(word) &&
        (/^"(?:[^"\\]|\\.)*"$/.test(word) || /^\S+$/.test(word))
      )
    }),
  )
  t.equal(
    commandLine(['/bin/x', '', 'a b', '$HOME', '50%', ';', '\x80']),
    '/bin/x "" "a b" "$$HOME" 50%% ";" "\\xc2\\x80"',
  )
})

t.test('calendar events', async t => {
  t.equal(calendarFault({ code: 0, stdout: 'Normalized form: a\n    Next elapse: x\n', stderr: '' }), undefined)
  t.equal(calendarFault({ code: 1, stdout: '', stderr: 'no\nmore' }), 'no')
  const two =
    '  Original form: a\nNormalized form: a1\n    Next elapse: x\n\nNormalized form: b\n    Next elapse: never\n'
  t.equal(calendarFault({ code: 0, stdout: two, stderr: '' }), 'it never comes: b')
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      timer.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  const right = { name: 'backup', command: ['/usr/bin/backup'], onCalendar: 'daily' }
  t.equal(message(right), undefined)
  t.equal(message({ name: 'backup', state: 'absent' }), undefined)
  t.match(message({ ...right, command: ['backup'] }), /command: expected the absolute path/)
  t.match(message({ ...right, command: ['/bin/a$b'] }), /command: expected the absolute path/)
  t.match(message({ ...right, command: ['/bin/a', 'x\0'] }), /NUL/)
  t.match(message({ name: 'backup', command: ['/bin/a'] }), /onCalendar: expected when it first runs/)
  t.match(message({ ...right, name: 'a/b' }), /name: expected letters/)
  t.match(message({ ...right, onCalendar: 'daily\nX=1' }), /calendar event/)
  t.match(message({ ...right, scope: 'user' }), /user: expected whose systemd/)
  t.match(
    message({ name: 'a', command: ['/bin/a'], onBoot: '5m', persistent: true }),
    /persistent: only calendar events/,
  )
  t.match(message({ ...right, description: 'a\\' }), /without backslashes/)
})

t.test('a host without systemd', async t => {
  const host = fakeHost({
    commands: [
      { argv: ['getent', 'passwd', 'root'] },
      { argv: ['systemd-analyze', 'calendar', '--iterations=1', 'daily'], code: 127 },
      {
        argv: [
          'systemctl',
          'show',
          'x.timer',
          'x.service',
          '-p',
          'Id,LoadState,ActiveState,NeedDaemonReload,FragmentPath,DropInPaths,Documentation',
        ],
        code: 1,
        stderr: 'System has not been booted with systemd as init system (PID 1). Cannot operate.\n',
      },
    ],
  })
  await t.rejects(timer({ name: 'x', command: ['/bin/x'], onCalendar: 'daily' }).assess(host), {
    code: 'unsupported',
    message: /not been booted with systemd/,
  })
})
