import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { cron } from '../../modules/cron/module.ts'
import { escapePercent, shellLine, variableLine, withBlock } from '../../modules/cron/parse.ts'
import { nextRun, parseSchedule } from '../../modules/cron/schedule.ts'
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

t.test('schedules that cron takes', async t => {
  const times = (schedule: string) => {
    const parsed = parseSchedule(schedule)
    if (parsed === 'reboot' || 'error' in parsed) return parsed
    return { ...parsed, minutes: [...parsed.minutes], hours: [...parsed.hours].length, weekdays: [...parsed.weekdays] }
  }
  t.match(times('*/20 3 * * *'), { minutes: [0, 20, 40], hours: 1, eitherDay: false })
  t.match(times('5,10-20/5\t* 1 JAN-mar fri-7'), {
    minutes: [5, 10, 15, 20],
    hours: 24,
    weekdays: [5, 6, 0],
    eitherDay: true,
  })
  t.match(times('0 0 31 2 1'), { eitherDay: true }, 'the weekday comes, though the date never does')
  t.equal(times('@reboot'), 'reboot')
  t.match(times('@daily'), { minutes: [0], hours: 1 })
  for (const schedule of [
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* * 0 * *',
    '* * * * 8',
    '5/10 * * * *',
    '*-5 * * * *',
  ]) {
    t.match(times(schedule), { error: /./ }, schedule)
  }
  for (const schedule of [
    '*/0 * * * *',
    '5-1 * * * *',
    'a * * * *',
    '1, * * * *',
    '* * * monday *',
    '@Daily',
    '@every',
    '-1 * * * *',
  ]) {
    t.match(times(schedule), { error: /./ }, schedule)
  }
  t.match(times('0 0 30 2 *'), { error: 'these days never come' })
})

t.test('when cron runs next', async t => {
  const next = (schedule: string, after: string) =>
    nextRun(schedule, new Date(`${after}Z`))
      ?.toISOString()
      .slice(0, 16)
  t.equal(next('10 3 * * *', '2026-11-25T03:09:59'), '2026-11-25T03:10')
  t.equal(next('10 3 * * *', '2026-11-25T03:10:00'), '2026-11-26T03:10')
  t.equal(next('@yearly', '2026-11-25T00:00'), '2027-01-01T00:00')
  t.equal(next('0 0 29 2 *', '2026-11-25T00:00'), '2028-02-29T00:00')
  t.equal(next('0 0 29 2 *', '2096-03-01T00:00'), '2104-02-29T00:00', '2100 has no leap day')
  t.equal(next('0 9 1 * mon', '2026-11-25T00:00'), '2026-11-30T09:00', 'a Monday before the first of the month')
  t.equal(next('@reboot', '2026-11-25T00:00'), undefined)
  const at = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
  const field = (most: number, least = 0) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: least, max: most }).map(String),
      fc.integer({ min: 2, max: 9 }).map(step => `*/${step}`),
    )
  fc.assert(
    fc.property(fc.tuple(field(59), field(23), field(28, 1), field(12, 1), field(7)), at, (fields, after) => {
      const next = nextRun(fields.join(' '), after)
      if (next === undefined || next <= after || next.getTime() % 60_000 !== 0) return false
      const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields
      const is = (text: string, value: number, least = 0) =>
        text.startsWith('*') ? (value - least) % Number(text.slice(2) || 1) === 0 : Number(text) === value
      const byDate = is(day, next.getUTCDate(), 1)
      const byWeekday = is(weekday, next.getUTCDay()) || (weekday === '7' && next.getUTCDay() === 0)
      const either = !day.startsWith('*') && !weekday.startsWith('*')
      return (
        is(minute, next.getUTCMinutes()) &&
        is(hour, next.getUTCHours()) &&
        is(month, next.getUTCMonth() + 1, 1) &&
        (either ? byDate || byWeekday : byDate && byWeekday)
      )
    }),
  )
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
      { argv: ['getent', 'passwd', 'www'] },
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
