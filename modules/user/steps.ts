import {
  type Change,
  type Command,
  type DirectoryState,
  type FileRead,
  type FileState,
  run,
  type Step,
  service,
} from 'sak-reconcile'
import type { Found } from './found.ts'
import { makeHome } from './home.ts'
import type { Params } from './params.ts'
import { lock, setPassword, unlock } from './password.ts'
import { removeAccount, restoreGroup } from './removal.ts'
import { isHashLocked, type Shadow } from './shadow.ts'
import { type AccountState, type LoginState, makesOwnGroup } from './state.ts'
import { useraddOptions, usermodOptions } from './usermod.ts'

/** All that is to be done about an account. */
export interface Work {
  readonly found: Found
  readonly from: AccountState | null
  readonly to: AccountState | null
  /** How one may log in, where that differs. */
  readonly login: Change<LoginState, LoginState> | undefined
  /** Groups to make. */
  readonly groups: readonly string[]
  /** The home to make. */
  readonly home: DirectoryState | null
  /** The files of /etc/skel. */
  readonly skeleton: readonly FileRead[]
  /** Units of systemd to restart. */
  readonly units: readonly string[]
  /** /etc/passwd and /etc/group once it is done. */
  readonly leaves: readonly FileState[]
}

export function stepsOf(work: Work, params: Params): readonly Step[] {
  const { found, from, to, groups, home, units } = work
  const { name, system } = params
  if (!to) return from ? removeAccount(found, from, params, work.leaves) : []
  return [
    ...stillAbsent(work, name),
    ...groups.map(group => run(['groupadd', ...(system ? ['--system'] : []), group], { undo: [removeGroup(group)] })),
    ...(from ? changeAccount(work, from, to, name) : [makeAccount(work, to, params)]),
    ...(work.login ? changeLogin(name, found.shadow, work.login) : []),
    ...(home ? makeHome(home, work.skeleton) : []),
    ...units.map(unit => service(unit, 'restart')),
  ]
}

const isThere = `for t; do
  case $t in
    /*) if [ -e "$t" ] || [ -L "$t" ]; then echo "$t is there by now: run again"; exit 1; fi ;;
    *) if getent "\${t%%:*}" "\${t#*:}" >/dev/null; then echo "$t is there by now: run again"; exit 1; fi ;;
  esac
done`

/** What is to be made is still not there: else undoing would remove what is not ours. */
function stillAbsent({ from, groups, home }: Work, name: string): readonly Step[] {
  const things = [
    ...(from ? [] : [`passwd:${name}`]),
    ...groups.map(group => `group:${group}`),
    ...(home ? [home.path] : []),
  ]
  if (things.length === 0) return []
  return [
    run(['sh', '-c', isThere, 'sh', ...things], {
      title: `check that nobody has made it yet: ${things.join(', ')}`,
      undo: 'resumable',
    }),
  ]
}

function removeGroup(name: string): Command {
  return { argv: ['sh', '-c', 'if getent group "$1" >/dev/null; then groupdel "$1"; fi', 'sh', name] }
}

function makeAccount({ found, leaves }: Work, to: AccountState, params: Params): Step {
  const { name, system } = params
  const namesake = found.groups.find(group => group.name === name)
  const ownGroup = makesOwnGroup(found, params)
  return run(['useradd', ...useraddOptions(to, { system, ownGroup }), name], {
    leaves,
    undo: [
      { argv: ['sh', '-c', 'if getent passwd "$1" >/dev/null; then userdel "$1"; fi', 'sh', name] },
      // userdel takes a group of that name with it
      ...(namesake ? [restoreGroup(name, namesake.gid)] : []),
    ],
  })
}

function changeAccount({ leaves }: Work, from: AccountState, to: AccountState, name: string): readonly Step[] {
  const options = usermodOptions(from, to)
  if (options.length === 0) return []
  const isRenumbered = from.uid !== to.uid
  return [
    run(['usermod', ...options, name], {
      impact: isRenumbered ? 'data' : 'none',
      undo: [{ argv: ['usermod', ...usermodOptions(to, from), name] }],
      leaves,
      // it gives all files of the home to the new number
      ...(isRenumbered && { timeout: '10m' }),
    }),
  ]
}

function changeLogin(
  name: string,
  shadow: Shadow | undefined,
  { before, after }: Change<LoginState, LoginState>,
): Step[] {
  const { password, locked } = after
  const sets = password !== undefined && password !== before.password
  // setting a password takes its lock off
  const keepsLock = sets && locked === undefined && shadow !== undefined && isHashLocked(shadow.password)
  const isOpen = before.locked === 'no' || (sets && before.locked === 'only its password')
  return [
    ...(sets ? [setPassword(name, password, shadow)] : []),
    ...(keepsLock ? [run(['usermod', '--lock', name], { undo: [] })] : []),
    ...(locked === 'yes' && (sets || before.locked !== 'yes') ? [lock(name, shadow, sets)] : []),
    ...(locked === 'no' && !isOpen ? [unlock(name, shadow, sets)] : []),
  ]
}
