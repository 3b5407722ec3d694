import { parseCronSchedule, type Times } from './cron-schedule.ts'

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/**
 * A schedule of cron as calendar events of systemd (systemd.time(7)), that come at the same times. Where cron runs on a day of the month
 * or of the week, these are two. Undefined for what is no schedule, and for `@reboot`.
 */
export function calendarEvents(schedule: string): readonly string[] | undefined {
  const times = parseCronSchedule(schedule)
  if (times === 'reboot' || 'error' in times) return undefined
  if (!times.eitherDay) return [event(times)]
  return [event({ ...times, weekdays: all(0, 6) }), event({ ...times, days: all(1, 31) })]
}

function event({ minutes, hours, days, months, weekdays: on }: Times): string {
  const week =
    on.size === 7
      ? ''
      : `${ascending(on)
          .map(day => weekdays[day])
          .join(',')} `
  const date = `*-${field(months, 12)}-${field(days, 31)}`
  return `${week}${date} ${field(hours, 24)}:${field(minutes, 60)}:00`
}

const field = (values: ReadonlySet<number>, size: number): string =>
  values.size === size
    ? '*'
    : ascending(values)
        .map(value => String(value).padStart(2, '0'))
        .join(',')

const ascending = (values: ReadonlySet<number>) => [...values].sort((a, b) => a - b)

const all = (first: number, last: number): ReadonlySet<number> =>
  new Set(Array.from({ length: last - first + 1 }, (_, index) => first + index))
