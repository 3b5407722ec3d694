/** When cron runs a job: its five fields or a word, as Debian's cron reads them. */

const words: Readonly<Record<string, string | undefined>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

interface Field {
  readonly what: string
  readonly least: number
  readonly most: number
  /** Names that stand for numbers, the first for `least`. */
  readonly names?: readonly string[]
}

const fields = [
  { what: 'minute', least: 0, most: 59 },
  { what: 'hour', least: 0, most: 23 },
  { what: 'day of the month', least: 1, most: 31 },
  { what: 'month', least: 1, most: 12, names: months },
  { what: 'day of the week', least: 0, most: 7, names: days },
] as const satisfies readonly Field[]

/** The times that a schedule names, on the host's own clock. */
export interface Times {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>
  /** Both days of the month and of the week are restricted: cron runs when either matches. */
  readonly eitherDay: boolean
}

/** What a schedule says; a text that tells what is wrong with it; `'reboot'` where cron runs it once, when it starts. */
export function parseCronSchedule(schedule: string): Times | 'reboot' | { readonly error: string } {
  if (schedule === '@reboot') return 'reboot'
  const texts = (words[schedule] ?? schedule).split(/[ \t]+/)
  if (schedule.startsWith('@') && words[schedule] === undefined) {
    return { error: `cron knows no ${schedule}: ${['@reboot', ...Object.keys(words)].join(', ')}` }
  }
  if (texts.length !== fields.length) {
    return { error: 'expected five fields (minute, hour, day, month, weekday) such as "10 3 * * *", or "@daily"' }
  }
  const sets = fields.map((field, index) => parseField(texts[index] ?? '', field))
  const [minutes, hours, days, months, weekdays] = sets
  if (!minutes || !hours || !days || !months || !weekdays) {
    const wrong = sets.indexOf(undefined)
    return { error: `"${texts[wrong]}" is no ${fields[wrong]?.what} for cron` }
  }
  const isAny = (text = '') => text.startsWith('*')
  const times = { minutes, hours, days, months, weekdays, eitherDay: !isAny(texts[2]) && !isAny(texts[4]) }
  return comes(times) ? times : { error: 'these days never come' }
}

function parseField(text: string, field: Field): Set<number> | undefined {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [, from = '', to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? []
    const first = from === '*' ? field.least : numberOf(from, field)
    const last = from === '*' ? field.most : to === undefined ? first : numberOf(to, field)
    const isRange = from === '*' ? to === undefined : to !== undefined || step === undefined
    if (first === undefined || last === undefined || first > last || !isRange || Number(step ?? 1) === 0)
      return undefined
    for (let value = first; value <= last; value += Number(step ?? 1)) values.add(value)
  }
  if (field.most === 7 && values.delete(7)) values.add(0)
  return values
}

function numberOf(text: string, { least, most, names = [] }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase())
  const value = named >= 0 ? named + least : /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function comes({ days, months, eitherDay }: Times): boolean {
  return eitherDay || [...months].some(month => [...days].some(day => day <= (longest[month - 1] ?? 0)))
}

const dayMs = 24 * 60 * 60 * 1000

/**
 * When cron runs next, strictly after a time; both are what the host's clock shows, told as if it were UTC. Undefined for
 * `@reboot`. A leap day on a given weekday may be forty years off.
 */
export function nextCronRun(schedule: string, after: Date): Date | undefined {
  const times = parseCronSchedule(schedule)
  if (times === 'reboot' || 'error' in times) return undefined
  const start = Math.floor(after.getTime() / 60_000 + 1) * 60_000
  const midnight = start - (((start % dayMs) + dayMs) % dayMs)
  for (let day = midnight; day < midnight + 41 * 366 * dayMs; day += dayMs) {
    if (!isOn(times, new Date(day))) continue
    for (const hour of ascending(times.hours)) {
      for (const minute of ascending(times.minutes)) {
        const at = day + (hour * 60 + minute) * 60_000
        if (at >= start) return new Date(at)
      }
    }
  }
  return undefined
}

function isOn({ days, months, weekdays, eitherDay }: Times, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false
  const byDate = days.has(day.getUTCDate())
  const byWeekday = weekdays.has(day.getUTCDay())
  return eitherDay ? byDate || byWeekday : byDate && byWeekday
}

const ascending = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b)
