import fc from 'fast-check'
import t from 'tap'
import { nextCronRun, parseCronSchedule } from '../../src/core/cron-schedule.ts'

t.test('schedules that cron takes', async t => {
  const times = (schedule: string) => {
    const parsed = parseCronSchedule(schedule)
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
    nextCronRun(schedule, new Date(`${after}Z`))
      ?.toISOString()
      .slice(0, 16)
  t.equal(next('10 3 * * *', '2026-11-25T03:09:59'), '2026-11-25T03:10')
  t.equal(next('10 3 * * *', '2026-11-25T03:10:00'), '2026-11-26T03:10')
  t.equal(next('@yearly', '2026-11-25T00:00'), '2027-01-01T00:00')
  t.equal(next('0 0 29 2 *', '2026-11-25T00:00'), '2028-02-29T00:00')
  t.equal(next('0 0 29 2 *', '2096-03-01T00:00'), '2104-02-29T00:00', '2100 has no leap day')
  t.equal(next('0 9 1 * mon', '2026-11-25T00:00'), '2026-11-30T09:00', 'a Monday before the first of the month')
  t.equal(next('0 0 29 2 */7', '2088-03-01T00:00'), '2128-02-29T00:00', 'a Sunday, over 2100')
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
      const next = nextCronRun(fields.join(' '), after)
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
