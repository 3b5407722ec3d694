import {
  absent,
  blocked,
  daemonReload,
  type FileState,
  file,
  type Host,
  makeUnitDirectories,
  parseUnits,
  run,
  type SakError,
  type Stat,
  type Step,
  service,
} from 'sak-reconcile'
import type { Stanza } from './options.ts'
import { sandboxErrors } from './sandbox.ts'

/** What is to run logrotate after a reboot (`boot`), and what does so now (`running`). */
export type State = Readonly<Record<string, string>>

/** How logrotate is run on a host: as it is, and as it should be. */
export interface Schedule {
  readonly boot: { readonly current: State; readonly desired: State }
  readonly running: { readonly current: State; readonly desired: State }
  /** The drop-in that makes the timer hourly, where that is or should be. */
  readonly dropIn?: { readonly current: FileState; readonly desired: FileState }
  readonly blocked: readonly SakError[]
}

const timer = 'logrotate.timer'
const job = 'logrotate.service'
const cron = '/etc/cron.daily/logrotate'
const hourly = '[Timer]\nOnCalendar=\nOnCalendar=hourly\nAccuracySec=1m\n'
const off: Schedule['boot'] = { current: {}, desired: {} }

const shownProperties = 'ActiveState,TimersCalendar,PrivateTmp,ProtectSystem,MemoryDenyWriteExecute'

const dropInDirectory = `/etc/systemd/system/${timer}.d`

/** Our drop-in of the timer, for hourly rotation. */
export const dropInPath = (name: string) => `${dropInDirectory}/${name}.conf`

/** The drop-in's directory is rarely there yet. */
export const makeDropInDirectory = makeUnitDirectories([dropInDirectory])

/** Reads the units' files and links rather than asking systemd, which may not have seen a change of them yet. */
export async function readSchedule(
  host: Host,
  { name, stanzas, overrides }: { name: string; stanzas: readonly Stanza[]; overrides: 'report' | 'remove' },
): Promise<Schedule> {
  const unit = (unitName: string) => `/etc/systemd/system/${unitName}`
  const [systemd, own, packaged, merged, enabled, ownJob, shown, dropIn, cronJob] = await Promise.all([
    host.stat('/run/systemd/system'),
    host.stat(unit(timer)),
    host.stat(`/lib/systemd/system/${timer}`),
    host.stat(`/usr/lib/systemd/system/${timer}`),
    host.stat(unit(`timers.target.wants/${timer}`)),
    host.stat(unit(job)),
    host.command(['systemctl', 'show', timer, job, '-p', shownProperties]),
    host.file(dropInPath(name)),
    host.stat(cron),
  ])
  const [timerShown = {}, jobShown = {}] = parseUnits(shown.stdout)
  const wantsHourly = stanzas.some(stanza => stanza.frequency === 'hourly')
  if (!systemd || !(own ?? packaged ?? merged)) return cronSchedule(cronJob?.mode, wantsHourly)
  const masks = [...(isMask(own) ? [timer] : []), ...(isMask(ownJob) ? [job] : [])]
  return {
    boot: timerBoot(masks, enabled !== null),
    running: timerRunning(timerShown, wantsHourly),
    ...((wantsHourly || dropIn.content !== null) && {
      dropIn: { current: dropIn, desired: wantsHourly ? file(dropIn.path, hourly) : absent(dropIn.path) },
    }),
    blocked: [...(overrides === 'remove' ? [] : masks.map(maskError)), ...sandboxErrors(jobShown, stanzas)],
  }
}

function isMask(stat: Stat | null): boolean {
  return stat?.realPath === '/dev/null'
}

function timerBoot(masks: readonly string[], enabled: boolean): Schedule['boot'] {
  const state = (name: string, otherwise: string) => (masks.includes(name) ? 'masked' : otherwise)
  return {
    current: { [timer]: state(timer, enabled ? 'enabled' : 'disabled'), [job]: state(job, 'available') },
    desired: { [timer]: 'enabled', [job]: 'available' },
  }
}

function timerRunning(shown: State, wantsHourly: boolean): Schedule['running'] {
  const { ActiveState = 'unknown', TimersCalendar = '' } = shown
  return {
    current: { [timer]: ActiveState, ...(wantsHourly && { OnCalendar: calendarOf(TimersCalendar) }) },
    desired: { [timer]: 'active', ...(wantsHourly && { OnCalendar: '*-*-* *:00:00' }) },
  }
}

function maskError(name: string): SakError {
  return blocked(
    'override',
    `${name} is masked (/etc/systemd/system/${name} -> /dev/null): nothing runs logrotate`,
    `systemctl unmask ${name}, or let this task do it: overrides: 'remove'`,
  )
}

function cronSchedule(mode: string | undefined, wantsHourly: boolean): Schedule {
  if (mode === undefined || wantsHourly) {
    const message = wantsHourly
      ? 'frequency hourly: without logrotate.timer logrotate runs once a day here'
      : 'nothing runs logrotate on this host: there is neither logrotate.timer nor /etc/cron.daily/logrotate'
    return { boot: off, running: off, blocked: [blocked('unsupported', message, 'reinstall the logrotate package')] }
  }
  const executable = (Number.parseInt(mode, 8) & 0o100) !== 0
  return {
    boot: { current: { [cron]: executable ? 'executable' : 'not executable' }, desired: { [cron]: 'executable' } },
    running: off,
    blocked: [],
  }
}

/** `{ OnCalendar=*-*-* 00:00:00 ; next_elapse=... }` */
function calendarOf(shown: string): string {
  return /OnCalendar=(.*?) ;/.exec(shown)?.[1] ?? 'none'
}

/** The steps that make logrotate run, now and after a reboot. */
export function scheduleSteps({ current, running, boot, dropInChanged }: ScheduleChanges): readonly (Step | false)[] {
  const masked = [timer, job].filter(name => boot?.before[name] === 'masked')
  const calendar = dropInChanged || running?.before.OnCalendar !== running?.after.OnCalendar
  return [
    boot?.before[cron] === 'not executable' &&
      run(['chmod', 'a+x', cron], { undo: [{ argv: ['chmod', 'a-x', cron] }] }),
    masked.length > 0 &&
      run(['systemctl', 'unmask', ...masked], { undo: [{ argv: ['systemctl', 'mask', ...masked] }] }),
    calendar && daemonReload(),
    boot?.before[timer] !== boot?.after[timer] && service(timer, 'enable'),
    running?.before[timer] !== running?.after[timer] && service(timer, 'start'),
    // A timer keeps its next time until it is started again.
    calendar && current[timer] === 'active' && run(['systemctl', 'restart', timer], { undo: 'resumable' }),
  ]
}

/** What of the schedule is to change, and what runs now. */
export interface ScheduleChanges {
  readonly current: State
  readonly running: { readonly before: State; readonly after: State } | undefined
  readonly boot: { readonly before: State; readonly after: State } | undefined
  readonly dropInChanged: boolean
}
