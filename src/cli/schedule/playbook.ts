import { existsSync } from 'node:fs'
import { calendarEvents } from '../../core/calendar-event.ts'
import { definePlaybook, type Playbook } from '../../core/playbook.ts'
import { ownModules } from '../../loading/modules.ts'
import { entryOf, logOf, type Schedule } from '../../loading/schedule-file.ts'

/**
 * One line for a shell, given a folder, a log and a program with its arguments: runs the program there, and says at the end of the log when
 * it ended and how. A log that grew is cut to its younger half. That drift was found (2) is no failure of the one who looked.
 */
const script = [
  'cd "$1" && exec >>"$2" 2>&1 || exit 1',
  'log=$2; shift 2; "$@"; code=$?',
  'echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) exit $code"',
  'if [ "$(wc -c <"$log")" -gt 2000000 ]; then tail -c 1000000 "$log" >"$log.old" && mv "$log.old" "$log"; fi',
  '[ "$code" = 2 ] || exit "$code"',
].join('; ')

const commandOf = ({ name, folder, program, args }: Schedule): string[] => [
  '/bin/sh',
  '-c',
  script,
  'sak-reconcile',
  folder,
  logOf(name),
  ...program,
  'drift',
  ...args,
]

/** The tasks that keep a schedule on this machine, or keep it off: whichever of systemd and cron has it, the other has not. */
export async function schedulePlaybook(schedule: Schedule, state: 'present' | 'absent'): Promise<Playbook> {
  const has = machineHas()
  const { cron, timer } = await ownModules()
  const { user, ofUser, by, every, environment } = schedule
  const name = entryOf(schedule.name)
  const wants = (what: Schedule['by']) => state === 'present' && by === what
  const scope = ofUser ? 'user' : 'system'
  const place = ofUser ? 'crontab' : 'cron.d'
  const timerTask = wants('systemd')
    ? timer({
        name,
        user,
        scope,
        command: commandOf(schedule),
        environment,
        onCalendar: [...(calendarEvents(every) ?? [])],
        accuracy: '1s',
        noNewPrivileges: false, // sudo, for this machine as root
        description: 'Looks for drift (sak-reconcile)',
      })
    : timer({ name, user, scope, state: 'absent' })
  const cronTask = wants('cron')
    ? cron({ name, user, place, command: commandOf(schedule), environment: forCron(environment), schedule: every })
    : cron({ name, user, place, state: 'absent' })
  const tasks = [(has.systemd || by === 'systemd') && timerTask, (has.cron || by === 'cron') && cronTask]
  return definePlaybook({ name: 'schedule', tasks: () => tasks })()
}

/** By what this machine can run a schedule. */
export const machineHas = () => ({ systemd: existsSync('/run/systemd/system'), cron: existsSync('/etc/cron.d') })

/** cron knows the home of whose entry it is. */
const forCron = ({ HOME: _, ...environment }: Schedule['environment']) => environment
