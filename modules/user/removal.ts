import { type Command, type FileState, removeDirectory, run, type Step } from 'sak-reconcile'
import type { Found } from './found.ts'
import type { Params } from './params.ts'
import { restorePassword } from './password.ts'
import type { AccountState } from './state.ts'

const addGroup = 'getent group "$1" >/dev/null || groupadd --gid "$2" "$1"'
const addAccount = 'getent passwd "$1" >/dev/null && exit; n=$1; shift; useradd "$@" "$n"'

/** Makes a group again that went with its account. */
export const restoreGroup = (name: string, gid: number): Command => ({
  argv: ['sh', '-c', addGroup, 'sh', name, String(gid)],
})

/** Removes an account, and its home where that was asked for. `leaves`: the files of accounts once it is gone. */
export function removeAccount(
  { account, home, shadow, groups, subordinate }: Found,
  was: AccountState,
  { name, removeHome }: Params,
  leaves: readonly FileState[],
): readonly Step[] {
  if (!account) return []
  const own = groups.find(group => group.name === name)
  const { uid, gid, comment, home: path, shell } = account
  const fields = ['--uid', uid, '--gid', gid, '--comment', comment, '--home-dir', path, '--shell', shell].map(String)
  // numbers for containers come back by usermod: useradd would take new ones
  const bare = ['--no-create-home', '--no-user-group', '--key', 'SUB_UID_COUNT=0', '--key', 'SUB_GID_COUNT=0']
  const undo: readonly Command[] = [
    ...(own ? [restoreGroup(name, own.gid)] : []),
    { argv: ['sh', '-c', addAccount, 'sh', name, ...bare, ...fields] },
    ...(was.groups.length > 0 ? [{ argv: ['usermod', '--groups', was.groups.join(','), name] }] : []),
    ...rangesOf(name, subordinate),
    ...(shadow ? [...restorePassword(name, shadow), { argv: ['chage', ...ageing(shadow), name] }] : []),
  ]
  return [
    run(['userdel', name], { impact: 'data', undo, leaves }),
    ...(removeHome && home.stat ? [removeDirectory(path, { recurse: true })] : []),
  ]
}

function rangesOf(name: string, { uids, gids }: Found['subordinate']): readonly Command[] {
  const options = [
    ...uids.flatMap(range => ['--add-subuids', range]),
    ...gids.flatMap(range => ['--add-subgids', range]),
  ]
  return options.length > 0 ? [{ argv: ['usermod', ...options, name] }] : []
}

function ageing({ min, max, warn, inactive, expire }: NonNullable<Found['shadow']>): readonly string[] {
  const options = {
    '--mindays': min,
    '--maxdays': max,
    '--warndays': warn,
    '--inactive': inactive,
    '--expiredate': expire,
  }
  return Object.entries(options).flatMap(([option, value]) => [option, value || '-1'])
}
