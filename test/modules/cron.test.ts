import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { cron } from '../../modules/cron/module.ts'
import { escapePercent, shellLine, variableLine, withBlock } from '../../modules/cron/parse.ts'
import { isSakError } from '../../src/index.ts'
import { fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/cron', import.meta.url)), cron)
  t.ok(cases.length >= 10)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

/** What cron hands to sh of a command: read from cron's source, and held against the real one in test/e2e/units.test.ts. */
function asCronReads(command: string): { line: string; input: boolean } {
  const end = /^(?:[^\\%]|\\[\s\S]?)*/.exec(command)?.[0] ?? ''
  return {
    line: end.replace(/\\([\s\S])/g, (both, next) => (next === '%' || next === '\\' ? next : both)),
    input: end.length < command.length,
  }
}

t.test('commands come through cron and sh as they are', async t => {
  const arg = fc.oneof(
    fc.string({ unit: fc.constantFrom('%', '\\', "'", '"', ' ', '$', 'a', '`', '\t', ';', '#') }),
    fc.string(),
  )
  const args = fc.array(
    arg.map(text => text.replaceAll(/[\0\n\r]/g, '')),
    { minLength: 1, maxLength: 5 },
  )
  fc.assert(
    fc.property(args, argv => {
      const escaped = escapePercent(shellLine(['printf', '%s\\n', ...argv]))
      const { line, input } = asCronReads(escaped)
      return !input && execFileSync('sh', ['-c', line], { encoding: 'utf8' }) === `${argv.join('\n')}\n`
    }),
    { numRuns: 60 },
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('%', '\\', 'a') }), command => {
      const escaped = escapePercent(command)
      const { line, input } = asCronReads(escaped)
      return line === command && !input
    }),
  )
  t.equal(escapePercent('date +%F \\d'), 'date +\\%F \\d', 'what needs no escape has none')
})

t.test('variables', async t => {
  t.equal(variableLine('A', " x 'y'"), `A=" x 'y'"`)
  t.equal(variableLine('A', 'x "y"'), `A='x "y"'`)
  t.equal(variableLine('A', `"'`), undefined)
  t.equal(variableLine('A', 'x '), undefined)
})

t.test('our block among the lines of others', async t => {
  const line = fc.constantFrom(
    '* * * * * a',
    '# b',
    '',
    'A=1',
    '# BEGIN sak-reconcile other',
    '# END sak-reconcile other',
    '  x\r',
  )
  const others = fc.tuple(fc.array(line), fc.boolean()).map(([all, ends]) => `${all.join('\n')}${ends ? '\n' : ''}`)
  fc.assert(
    fc.property(
      others,
      fc.constantFrom('1\n', '1\n2\n'),
      fc.constantFrom('3\n', '4\n5\n'),
      (content, first, second) => {
        const once = withBlock(content, 'x', first)
        if (once === null || once === 'broken' || withBlock(once, 'x', first) !== once) return false
        const changed = withBlock(once, 'x', second)
        if (changed === null || changed === 'broken') return false
        const without = withBlock(changed, 'x', null)
        return (
          once.startsWith(content) &&
          (without ?? '').startsWith(content) &&
          (without ?? '').trimEnd() === content.trimEnd()
        )
      },
    ),
  )
  t.equal(withBlock(null, 'x', 'a\n'), '# BEGIN sak-reconcile x\na\n# END sak-reconcile x\n')
  t.equal(withBlock('# BEGIN sak-reconcile x\na\n# END sak-reconcile x\n', 'x', null), null, 'nothing is left')
  t.equal(withBlock('', 'x', null), '', 'what is not ours stays, and be it empty')
  t.equal(withBlock('# BEGIN sak-reconcile x\na\n', 'x', 'a\n'), 'broken')
  t.equal(withBlock('# END sak-reconcile x\n# BEGIN sak-reconcile x\n', 'x', 'a\n'), 'broken')
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      cron.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  const right = { name: 'backup', schedule: '@daily', command: '/usr/bin/backup' }
  t.equal(message(right), undefined)
  t.equal(message({ name: 'backup', state: 'absent' }), undefined)
  t.match(message({ ...right, name: 'backup.sh' }), /name: .*cron passes over files such as/)
  t.match(message({ ...right, schedule: '0 25 * * *' }), /schedule: "25" is no hour for cron/)
  t.match(message({ ...right, schedule: '0 0 31 6 *' }), /never come/)
  t.match(message({ name: 'backup', command: 'x' }), /schedule: expected when it runs/)
  t.match(message({ name: 'backup', schedule: '@daily' }), /command: expected what it runs/)
  t.match(message({ ...right, command: 'a\nb' }), /one line/)
  t.match(message({ ...right, command: 'x'.repeat(999) }), /998 characters/)
  t.equal(message({ ...right, command: ['date', '+\\%F'] }), undefined)
  t.match(message({ ...right, environment: { LOGNAME: 'x' } }), /from the user/)
  t.match(message({ ...right, environment: { A: `'"` } }), /both kinds of quotes/)
  t.match(message({ ...right, place: 'crontab', environment: { MAILTO: 'x' } }), /all later lines/)
})

t.test('a plain user cannot see the crontab of another', async t => {
  const host = fakeHost({
    denied: ['/var/spool/cron/crontabs/*'],
    files: { '/var/spool/cron/crontabs': { type: 'directory' } },
    commands: [
      { argv: ['getent', 'passwd', 'www'], stdout: 'www:x:33:33::/var/www:/bin/sh\n' },
      {
        argv: [
          'systemctl',
          'show',
          'cron.service',
          'crond.service',
          'cronie.service',
          '-p',
          'Id,LoadState,ActiveState,UnitFileState',
        ],
        stdout: 'Id=cron.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n',
      },
    ],
  })
  const found = await cron({ name: 'x', schedule: '@daily', command: 'x', user: 'www', place: 'crontab' }).assess(host)
  t.match(found, { blocked: [{ code: 'needs-root' }], steps: [] })
})
