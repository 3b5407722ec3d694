import { nextCronRun } from '../../core/cron-schedule.ts'
import { entryOf, lastScheduledRun, logOf, type Schedule, type ScheduledRun } from '../../loading/schedule-file.ts'

export interface ScheduleStatus {
  readonly text: string
  /** Its last run could look at everything, and none is overdue. */
  readonly isWell: boolean
}

/** What is scheduled, when it last ran and how that ended, when it runs next. */
export async function statusOf(schedule: Schedule, now = new Date()): Promise<ScheduleStatus> {
  const { name, every, by, ofUser, user, folder, args, installedAt } = schedule
  const last = await lastScheduledRun(name)
  const overdue = overdueSince(every, last?.endedAt ?? new Date(installedAt), now)
  const whose = ofUser ? `of ${user}` : `of the system, as ${user}`
  const rows = {
    what: `${['sak-reconcile', 'drift', ...args].join(' ')}   (in ${folder})`,
    when: `${every}   by ${by === 'cron' ? 'cron' : 'a timer of systemd'} ${whose}: ${entryOf(name)}`,
    'last run': last ? `${clock(last.endedAt)}   exit ${last.exitCode}: ${meaningOf(last)}` : 'none yet',
    'next run': overdue ? `should have been at ${clock(overdue)}: it does not run` : clock(nextRun(every, now)),
    log: logOf(name),
  }
  const lines = Object.entries(rows).map(([title, text]) => `  ${title.padEnd(8)}  ${text}`)
  return { text: lines.join('\n'), isWell: !overdue && (last === undefined || workedCodes.has(last.exitCode)) }
}

const workedCodes: ReadonlySet<number> = new Set([0, 2])

function meaningOf({ exitCode }: ScheduledRun): string {
  const meanings: Readonly<Record<number, string>> = {
    0: 'in sync',
    1: 'it could not look, or not tell somebody: the log says why, or "sak-reconcile drift --all"',
    2: 'drift found',
    4: 'something failed, was blocked or unreachable',
    6: 'drift found, and something failed, was blocked or unreachable',
    130: 'interrupted',
  }
  return meanings[exitCode] ?? 'the log says why'
}

/** Longer than a run may take. */
const graceMs = 60 * 60 * 1000

/** The time of a run that has not come; none where all have. */
function overdueSince(every: string, after: Date, now: Date): Date | undefined {
  const due = nextRun(every, after)
  return due && due.getTime() + graceMs < now.getTime() ? due : undefined
}

/** Schedules go by the machine's own clock. */
function nextRun(every: string, after: Date): Date | undefined {
  const shown = new Date(after.getTime() - after.getTimezoneOffset() * 60_000)
  const next = nextCronRun(every, shown)
  if (!next) return undefined
  const guess = new Date(next.getTime() + after.getTimezoneOffset() * 60_000)
  return new Date(next.getTime() + guess.getTimezoneOffset() * 60_000)
}

/** As the machine's clock shows it. */
function clock(at: Date | undefined): string {
  if (!at) return 'never'
  const shown = new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
  return shown.toISOString().replace('T', ' ').slice(0, 16)
}
