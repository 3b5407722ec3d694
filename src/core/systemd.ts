import { readAccount } from './account.ts'
import { SakError } from './errors.ts'
import type { Host } from './host.ts'
import { run, type Step } from './step.ts'

/** What systemd says of a unit: its properties by name. */
export type UnitProperties = Readonly<Record<string, string>>

/** The `KEY=VALUE` lines of `systemctl show`, one record a unit, in the order in which they were asked for. */
export function parseUnits(output: string): readonly UnitProperties[] {
  return output.split('\n\n').map(unit => {
    const pairs = unit.split('\n').flatMap(line => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    })
    return Object.fromEntries(pairs)
  })
}

/** One systemd of a host: the system's, or a user's own. */
export interface Systemd {
  /** Where whoever rules it puts unit files. */
  readonly directory: string
  /** Of a user's systemd. */
  readonly owner?: { readonly user: string; readonly uid: number; readonly home: string }
}

/**
 * Whose systemd it is. Costs a trip for a user's, whose home must be known first.
 * @throws SakError `no-such-user`
 */
export async function findSystemd(
  host: Host,
  { scope, user }: { readonly scope: 'system' | 'user'; readonly user: string },
): Promise<Systemd> {
  if (scope === 'system') return { directory: '/etc/systemd/system' }
  const account = await readAccount(host, user)
  if (!account) {
    throw new SakError('no-such-user', `there is no user ${user}`, { hint: 'user({ ... }) before this task makes it' })
  }
  const { uid, home } = account
  return { directory: `${home}/.config/systemd/user`, owner: { user, uid, home } }
}

/** A command line of one of systemd's programs, for one systemd of the host, and whose hands it needs. */
export function systemdCommand(
  { owner }: Systemd,
  program: 'systemctl' | 'systemd-analyze',
  args: readonly string[],
): { argv: readonly string[]; as?: string } {
  if (!owner) return { argv: [program, ...args] }
  return { argv: ['env', `XDG_RUNTIME_DIR=/run/user/${owner.uid}`, program, '--user', ...args], as: owner.user }
}

/** Has a user's systemd start at boot, and go on without a login. */
export function enableLinger(user: string): Step {
  return run(['loginctl', 'enable-linger', user], { undo: [{ argv: ['loginctl', 'disable-linger', user] }] })
}

/** Makes the directories of unit files that are missing, outer ones first. Undone where nothing else is in them by then. */
export function makeUnitDirectories(missing: readonly string[], user?: string): Step {
  const as = user !== undefined && { as: user }
  const removal = 'for d; do if [ -d "$d" ]; then rmdir --ignore-fail-on-non-empty -- "$d" || exit; fi; done'
  return run(['mkdir', '-p', ...missing], {
    ...as,
    undo: [{ argv: ['sh', '-c', removal, 'sh', ...missing.toReversed()], ...as }],
  })
}

/** For `owns`: a unit of the system, or of a user's own systemd. */
export function ownedUnit(unit: string, user?: string): string {
  return user === undefined ? `systemd:${unit}` : `systemd:${user}:${unit}`
}
