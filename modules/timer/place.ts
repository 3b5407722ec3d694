import { blocked, type CommandOptions, type Host, parseUnits, SakError, type UnitProperties } from 'sak-reconcile'
import type { Params } from './params.ts'

/** Where the units of a timer lie, and whose systemd runs them. */
export interface Place {
  readonly directory: string
  /** systemd's mark of when a persistent timer last ran. */
  readonly stamp: string
  /** Of a user's systemd. */
  readonly owner?: { readonly user: string; readonly uid: string; readonly home: string }
}

/** Costs a trip for a user's timer, whose home must be known first. */
export async function findPlace(host: Host, { scope, user, name }: Params): Promise<Place> {
  const stamp = `systemd/timers/stamp-${name}.timer`
  if (scope === 'system') return { directory: '/etc/systemd/system', stamp: `/var/lib/${stamp}` }
  const { code, stdout } = await host.command(['getent', 'passwd', user], { dependsOn: ['/etc/passwd'] })
  const [, , uid = '', , , home = ''] = stdout.trimEnd().split(':')
  if (code !== 0 || home === '')
    throw new SakError('no-such-user', `there is no user ${user}`, { hint: 'make the user first' })
  return {
    directory: `${home}/.config/systemd/user`,
    stamp: `${home}/.local/share/${stamp}`,
    owner: { user, uid, home },
  }
}

/** A command line of one of systemd's programs, for the systemd of the place, and whose hands it needs. */
export function ofSystemd(
  { owner }: Place,
  program: 'systemctl' | 'systemd-analyze',
  args: readonly string[],
): { argv: readonly string[]; as?: string } {
  if (!owner) return { argv: [program, ...args] }
  return { argv: ['env', `XDG_RUNTIME_DIR=/run/user/${owner.uid}`, program, '--user', ...args], as: owner.user }
}

const properties = 'Id,LoadState,ActiveState,NeedDaemonReload,FragmentPath,DropInPaths,Documentation'

/** What systemd has in memory of units; undefined where a user's systemd does not run. */
export async function showUnits(
  host: Host,
  place: Place,
  units: readonly string[],
): Promise<readonly UnitProperties[] | undefined> {
  const { argv, as } = ofSystemd(place, 'systemctl', ['show', ...units, '-p', properties])
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
