import t from 'tap'
import { calendarEvents } from '../../src/core/calendar-event.ts'

t.test("cron's times as systemd says them", async t => {
  const cases = {
    '*/30 * * * *': ['*-*-* *:00,30:00'],
    '@daily': ['*-*-* 00:00:00'],
    '0 4 * jan-mar mon-fri': ['Mon,Tue,Wed,Thu,Fri *-01,02,03-* 04:00:00'],
    '10 3 * * 7': ['Sun *-*-* 03:10:00'],
    // cron runs on either day, systemd only where both match
    '10 3 1 * mon': ['*-*-01 03:10:00', 'Mon *-*-* 03:10:00'],
    '10 3 */10 * mon': ['Mon *-*-01,11,21,31 03:10:00'],
  }
  for (const [schedule, events] of Object.entries(cases)) t.same(calendarEvents(schedule), events, schedule)
  t.equal(calendarEvents('@reboot'), undefined)
  t.equal(calendarEvents('every day'), undefined)
})
