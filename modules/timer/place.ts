import {
  blocked,
  type CommandOptions,
  findSystemd,
  type Host,
  parseUnits,
  type Systemd,
  systemdCommand,
  type UnitProperties,
} from 'sak-reconcile'
import type { Params } from './params.ts'

/** Where the units of a timer lie, and whose systemd runs them. */
export interface Place extends Systemd {
  /** systemd's mark of when a persistent timer last ran. */
  readonly stamp: string
}

/** Costs a trip for a user's timer, whose home must be known first. */
export async function findPlace(host: Host, { scope, user, name }: Params): Promise<Place> {
  const stamp = `systemd/timers/stamp-${name}.timer`
  const systemd = await findSystemd(host, { scope, user })
  const { owner } = systemd
  return { ...systemd, stamp: owner ? `${owner.home}/.local/share/${stamp}` : `/var/lib/${stamp}` }
}

const properties = 'Id,LoadState,ActiveState,NeedDaemonReload,FragmentPath,DropInPaths,Documentation'

/** What systemd has in memory of units; undefined where a user's systemd does not run. */
export async function showUnits(
  host: Host,
  place: Place,
  units: readonly string[],
): Promise<readonly UnitProperties[] | undefined> {
  const { argv, as } = systemdCommand(place, 'systemctl', ['show', ...units, '-p', properties])
  const options: CommandOptions = as === undefined ? {} : { as }
  const { code, stdout, stderr } = await host.command(argv, options)
  if (code === 0) return parseUnits(stdout)
  if (place.owner && /connect to bus/i.test(stderr)) return undefined
  throw blocked(
    'unsupported',
    `systemd cannot be asked: ${stderr.trim().split('\n')[0] ?? ''}`,
    'the host must run systemd',
  )
}
