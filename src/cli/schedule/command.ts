import { localUser } from '../../core/local-user.ts'
import type { Report, RunEvent } from '../../core/report.ts'
import { forgetSchedule, keepSchedule, readSchedule, type Schedule } from '../../loading/schedule-file.ts'
import { textReport } from '../../reports/text.ts'
import { reconcile } from '../../run.ts'
import { askSecret } from '../questions.ts'
import { wantsColor } from '../report-output.ts'
import { screen } from '../screen.ts'
import { refuseUnrunnable } from './check.ts'
import type { ScheduleOptions } from './options.ts'
import { schedulePlaybook } from './playbook.ts'
import { scheduleOf } from './schedule-of.ts'
import { statusOf } from './status.ts'

/** `schedule install`: `drift` with these arguments, from now on. Answers the exit code; throws before anything is written. */
export async function installSchedule(options: ScheduleOptions): Promise<number> {
  const known = await readSchedule(options.name)
  const schedule = scheduleOf(options, known)
  await refuseUnrunnable(schedule)
  await keepSchedule(schedule) // its folder is the log's: a first run may come at once
  const report = await keep(schedule, 'present', options)
  if (report.exitCode !== 0) {
    if (!known) await forgetSchedule(options.name)
    return report.exitCode
  }
  print(report.summary.tasks.changed === undefined ? 'already scheduled' : 'scheduled')
  print((await statusOf(schedule)).text)
  return 0
}

/** `schedule remove`: nothing is left of it. Answers the exit code. */
export async function removeSchedule(options: ScheduleOptions): Promise<number> {
  const known = await readSchedule(options.name)
  const report = await keep(known ?? scheduleOf({ ...options, every: '@daily' }), 'absent', options)
  if (report.exitCode !== 0) return report.exitCode
  await forgetSchedule(options.name)
  const isGone = known === undefined && report.summary.tasks.changed === undefined
  print(isGone ? 'nothing was scheduled' : `removed: ${options.name}`)
  return 0
}

/**
 * `schedule status`. Answers 0 where it is as installed and its last run worked, 1 where nothing is scheduled, 2 where it is not as
 * installed, 4 where it does not run or its last run failed, 6 both.
 */
export async function scheduleStatus(options: ScheduleOptions): Promise<number> {
  const schedule = await readSchedule(options.name)
  if (!schedule) {
    print('nothing is scheduled')
    return 1
  }
  const { text, isWell } = await statusOf(schedule)
  print(text)
  const report = await keep(schedule, 'present', options, { dryRun: true })
  if (report.exitCode === 2) print('not as it was installed: "sak-reconcile schedule install" writes it again')
  return report.exitCode | (isWell ? 0 : 4)
}

/** Brings this machine to have the schedule, or not; says what went wrong, or with a dry run what differs. */
async function keep(
  schedule: Schedule,
  state: 'present' | 'absent',
  { askBecomePass, color }: ScheduleOptions,
  { dryRun = false } = {},
): Promise<Report> {
  const playbook = await schedulePlaybook(schedule, state)
  const password = askBecomePass ? await askSecret('sudo password: ') : undefined
  // a look at the system's units needs nothing; a crontab, and who lingers, only root may see
  const become = localUser().username !== 'root' && (!dryRun || schedule.ofUser)
  const events: RunEvent[] = []
  const report = await reconcile({
    playbook,
    inventory: { hosts: { localhost: { connection: 'local', become } } },
    dryRun,
    connect: { ...(password !== undefined && { becomePassword: async () => password }) },
    onEvent: event => void events.push(event),
  })
  if (report.exitCode === 0) return report
  const { onEvent, finish } = textReport({ color: wantsColor({ color }, process.stdout), quiet: true, write })
  for (const event of events) onEvent(event)
  finish()
  return report
}

const write = (text: string) => screen.print(process.stdout, text)
const print = (text: string) => write(`${text}\n`)
