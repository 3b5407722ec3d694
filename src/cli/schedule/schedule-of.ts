import { join } from 'node:path'
import { calendarEvents } from '../../core/calendar-event.ts'
import { parseCronSchedule } from '../../core/cron-schedule.ts'
import { SakError } from '../../core/errors.ts'
import { localUser } from '../../core/local-user.ts'
import type { Schedule } from '../../loading/schedule-file.ts'
import { packageFolder } from '../../version.ts'
import type { ScheduleOptions } from './options.ts'
import { machineHas } from './playbook.ts'

/** What the options ask for, with all that a run needs which has no login: absolute paths, Node, environment. */
export function scheduleOf(options: ScheduleOptions, known?: Schedule): Schedule {
  const { name, every = known?.every, using = known?.by, user: ofUser, drift } = options
  if (every === undefined) {
    throw new SakError('usage', 'how often?', { hint: "sak-reconcile schedule install --every '*/30 * * * *'" })
  }
  refuseWrongTimes(every)
  const { username, homedir } = localUser()
  if (ofUser && username === 'root') {
    throw new SakError('usage', "--user is for a user's own systemd or crontab", { hint: 'as root leave it out' })
  }
  return {
    schema: 'sak-reconcile/schedule@1',
    name,
    every,
    by: using ?? (machineHas().systemd ? 'systemd' : 'cron'),
    ofUser,
    user: username,
    folder: process.cwd(),
    program: [process.execPath, entry()],
    args: drift,
    environment: { ...environment(), HOME: homedir },
    installedAt: known?.installedAt ?? new Date().toISOString(),
  }
}

function refuseWrongTimes(every: string): void {
  const times = parseCronSchedule(every)
  if (typeof times === 'object' && 'error' in times) throw new SakError('usage', `--every: ${times.error}`)
  if (!calendarEvents(every)) throw new SakError('usage', '--every: expected times that come again, such as "@hourly"')
}

/** The command line that this is, as it can be started from anywhere and for years. */
function entry(): string {
  const path = join(packageFolder, 'dist/src/cli.js')
  if (!path.includes('/_npx/')) return path
  throw new SakError('usage', "this copy of sak-reconcile lies in npx's cache, which npm may empty at any time", {
    hint: 'install it first: npm install sak-reconcile, or npm install --global sak-reconcile',
  })
}

/** By what programs are found, where state is kept, and whom TLS trusts beside Node's own authorities. */
function environment(): Record<string, string> {
  const kept = ['PATH', 'LANG', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'NODE_EXTRA_CA_CERTS'].flatMap(name => {
    const value = process.env[name]
    if (!value) return []
    return [[name, name === 'PATH' ? ownPath(value) : value] as const]
  })
  return Object.fromEntries(kept)
}

/** Without what npm and npx put before it, which is another one each time. */
const ownPath = (path: string) =>
  [...new Set(path.split(':').filter(folder => folder !== '' && !folder.includes('/node_modules/')))].join(':')
