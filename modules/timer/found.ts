import {
  blocked,
  type CommandResult,
  type FileRead,
  type Host,
  readAccount,
  type SakError,
  type Stat,
  type UnitProperties,
} from 'sak-reconcile'
import type { Params } from './params.ts'
import { calendarFault } from './parse.ts'
import { type Place, showUnits } from './place.ts'

/** What is there of a timer. */
export interface Found {
  /** The unit files; of a timer that should go also the mark of its last run. */
  readonly files: readonly FileRead[]
  /** The units in systemd's memory: timer, service. Undefined where a user's systemd does not run. */
  readonly units: readonly UnitProperties[] | undefined
  readonly enabled: boolean
  /** Whether the user's systemd starts at boot. */
  readonly lingers: boolean
  /** Directories that must be made first, the outermost first. */
  readonly missing: readonly string[]
  readonly reasons: readonly SakError[]
}

/** One trip. */
export async function readTimer(host: Host, place: Place, params: Params): Promise<Found> {
  const { directory, owner } = place
  const { name, state, user, command: [program] = [], onCalendar = [] } = params
  const path = (suffix: string) => `${directory}/${name}.${suffix}`
  const wanted = state === 'present'
  const above = owner ? [`${owner.home}/.config`, `${owner.home}/.config/systemd`, directory] : []
  const [files, units, link, linger, stats, calendar, executable, account] = await Promise.all([
    Promise.all([path('timer'), path('service'), ...(wanted ? [] : [place.stamp])].map(each => host.file(each))),
    showUnits(host, place, [`${name}.timer`, `${name}.service`]),
    host.stat(`${directory}/timers.target.wants/${name}.timer`),
    owner ? host.stat(`/var/lib/systemd/linger/${owner.user}`) : null,
    Promise.all(above.map(each => host.stat(each))),
    wanted && onCalendar.length > 0
      ? host.command(['systemd-analyze', 'calendar', '--iterations=1', ...onCalendar])
      : undefined,
    wanted && program ? host.stat(program) : undefined,
    wanted && !owner ? readAccount(host, user) : null,
  ])
  const strange = wanted ? (units ?? []).flatMap(unit => strangers(unit, directory)) : []
  return {
    files,
    units,
    enabled: link !== null,
    lingers: linger !== null,
    missing: above.filter((_, index) => stats[index] === null),
    reasons: [
      ...(account === undefined ? [noUser(user)] : []),
      ...calendarReason(calendar),
      ...programReason(program, executable),
      ...strange,
    ],
  }
}

const noUser = (user: string) =>
  blocked('no-such-user', `there is no user ${user} to run it`, 'user({ ... }) before this task makes it')

function calendarReason(said: CommandResult | undefined): SakError[] {
  const fault = said && calendarFault(said)
  return fault ? [blocked('refused', `onCalendar: ${fault}`, 'systemd-analyze calendar SPEC tries one out')] : []
}

function programReason(program: string | undefined, stat: Stat | null | undefined): SakError[] {
  if (program === undefined || stat === undefined) return []
  if (stat === null) return [blocked('not-installed', `there is no ${program} for the timer to run`)]
  const runs = stat.type === 'file' && (Number.parseInt(stat.mode, 8) & 0o111) !== 0
  return runs ? [] : [blocked('refused', `${program} cannot be run: nobody may execute it`, `chmod +x ${program}`)]
}

/** A unit of that name from elsewhere, which ours would hide, and what changes ours. */
function strangers({ Id = '', FragmentPath = '', DropInPaths = '' }: UnitProperties, directory: string): SakError[] {
  const other = FragmentPath !== '' && FragmentPath !== `${directory}/${Id}`
  const hint = 'move it into the params, and remove it'
  return [
    ...(other ? [blocked('refused', `there is a ${Id} already: ${FragmentPath}`, 'choose another name')] : []),
    ...(DropInPaths !== '' ? [blocked('override', `${DropInPaths} changes ${Id} from outside`, hint)] : []),
  ]
}
