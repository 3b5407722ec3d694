import {
  type FileRead,
  type Host,
  orUnreadable,
  type Systemd,
  type UnitProperties,
  type Unreadable,
} from 'sak-reconcile'
import { type Followed, judge, lastChanges } from './followed.ts'
import { type Params, unitNames } from './params.ts'
import { parseUnit, type Unit } from './parse.ts'
import { observe } from './scripts.ts'

/** What is there of a unit. */
export interface Found {
  readonly systemd: Systemd
  readonly unit: Unit
  /** The files that a restart loads, and those that a reload loads. */
  readonly restarts: readonly Followed[] | Unreadable
  readonly reloads: readonly Followed[] | Unreadable
  /** Whether a user's systemd starts at boot; undefined for the system's. */
  readonly lingers: boolean | undefined
}

/** One trip; more only where links lead out of the paths, or where the times of the files prove nothing. */
export async function readUnit(host: Host, systemd: Systemd, params: Params): Promise<Found> {
  const { name, restartedAfter, reloadedAfter } = params
  const { owner } = systemd
  const { argv, stdin } = observe(systemd, name)
  const [said, files, linger, changesOfRestarts, changesOfReloads] = await Promise.all([
    host.command(argv, { stdin, ...(owner && { as: owner.user }) }),
    readUnitFiles(host, systemd, name),
    owner ? host.stat(`/var/lib/systemd/linger/${owner.user}`) : undefined,
    orUnreadable(lastChanges(host, restartedAfter)),
    orUnreadable(lastChanges(host, reloadedAfter)),
  ])
  const unit = withFiles(parseUnit(said, systemd), files)
  const of = { systemd, unit }
  const [restarts, reloads] = await Promise.all([
    'error' in changesOfRestarts
      ? changesOfRestarts
      : orUnreadable(judge(host, changesOfRestarts, { ...of, moment: 'started' })),
    'error' in changesOfReloads
      ? changesOfReloads
      : orUnreadable(judge(host, changesOfReloads, { ...of, moment: 'reloaded' })),
  ])
  return { systemd, unit, restarts, reloads, lingers: linger === undefined ? undefined : linger !== null }
}

/** The unit's file and what adds to it, where an earlier task may write them; those that may not be read are left out. */
async function readUnitFiles(host: Host, { directory }: Systemd, name: string) {
  const names = unitNames(name)
  const [units, additions] = await Promise.all([
    Promise.all(names.map(each => orUnreadable(host.file(`${directory}/${each}`)))),
    orUnreadable(host.files(names.map(each => `${directory}/${each}.d/*.conf`))),
  ])
  const isRead = (file: FileRead | Unreadable): file is FileRead => file.kind === 'file'
  return { units: units.filter(isRead), additions: 'error' in additions ? [] : additions }
}

/** The unit as it is once systemd has read files that an earlier task is yet to write. */
function withFiles(unit: Unit, { units, additions }: Awaited<ReturnType<typeof readUnitFiles>>): Unit {
  const isToCome = ({ stat }: FileRead) => stat !== undefined && stat.ctime > unit.now + aDay
  const file = units.find(isToCome)
  if (!file && !additions.some(isToCome)) return unit
  const { LoadState } = unit.properties
  const known: UnitProperties = { ...unit.properties, NeedDaemonReload: 'yes' }
  if (!file) return { ...unit, properties: LoadState === 'loaded' ? known : unit.properties }
  if (LoadState === 'masked') return unit
  const text = file.content ?? ''
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim()
  const canBeEnabled = /^\[Install\]/m.test(text)
  const isLinked = known.UnitFileState === 'enabled' || known.UnitFileState === 'enabled-runtime'
  return {
    ...unit,
    properties: {
      ...known,
      LoadState: 'loaded',
      CanStart: 'yes',
      CanStop: 'yes',
      CanReload: /^ExecReload=|^Type=notify-reload/m.test(text) ? 'yes' : 'no',
      Type: value('Type') ?? 'simple',
      RemainAfterExit: value('RemainAfterExit') ?? 'no',
      UnitFileState: isLinked ? 'enabled' : canBeEnabled ? 'disabled' : 'static',
    },
  }
}

const aDay = 86_400
