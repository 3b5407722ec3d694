/** What the programs leave in /etc/passwd and /etc/group, for the checks of later tasks. */
import type { FileState } from 'sak-reconcile'
import type { Found } from './found.ts'
import type { Params } from './params.ts'
import { type AccountState, makesOwnGroup } from './state.ts'

/** The two files once the account is as desired, near enough: the numbers that are free are guessed as useradd takes them. */
export function filesAfter(found: Found, params: Params, desired: AccountState | null, made: readonly string[]) {
  const [passwd, group] = found.files
  const groups = groupLines(found, params, desired, made)
  const lines = passwdLines(found, params, desired, groups)
  return [withLines(passwd, lines), withLines(group, groups)]
}

function withLines(
  { path, mode = '0644', owner = 'root', group = 'root' }: FileState,
  lines: readonly string[],
): FileState {
  return { kind: 'file', path, content: lines.map(line => `${line}\n`).join(''), mode, owner, group }
}

const linesOf = ({ content }: FileState) => (content ?? '').replace(/\n$/, '').split('\n')

function passwdLines(
  { files, account, accounts, loginDefs }: Found,
  { name, system }: Params,
  desired: AccountState | null,
  groups: readonly string[],
): readonly string[] {
  const lines = linesOf(files[0])
  const at = lines.findIndex(line => line.startsWith(`${name}:`))
  if (!desired) return lines.filter((_, index) => index !== at)
  const { comment, home, shell } = desired
  const uid =
    desired.uid ??
    freeNumber(
      accounts.map(each => each.uid),
      loginDefs,
      'UID',
      system,
    )
  const gid = groups.map(line => line.split(':')).find(([first]) => first === desired.group)?.[2] ?? account?.gid ?? uid
  const line = [name, 'x', uid, gid, comment, home, shell].join(':')
  return at < 0 ? [...lines, line] : lines.with(at, line)
}

function groupLines(
  found: Found,
  params: Params,
  desired: AccountState | null,
  made: readonly string[],
): readonly string[] {
  const { name, system } = params
  let lines = linesOf(found.files[1])
  const used = () => lines.map(line => Number(line.split(':')[2]))
  const add = (group: string, gid: number) => {
    lines = [...lines, `${group}:x:${gid}:`]
  }
  for (const group of made) add(group, freeNumber(used(), found.loginDefs, 'GID', system))
  if (desired && makesOwnGroup(found, params)) {
    const uid =
      desired.uid ??
      freeNumber(
        found.accounts.map(each => each.uid),
        found.loginDefs,
        'UID',
        system,
      )
    add(name, used().includes(uid) ? freeNumber(used(), found.loginDefs, 'GID', system) : uid)
  }
  return lines.flatMap(line => {
    const [group = '', password, gid, members = ''] = line.split(':')
    const others = members.split(',').filter(Boolean)
    const rest = others.filter(member => member !== name)
    if (!desired && losesOwnGroup(found, params, group, rest)) return []
    const isIn = desired?.groups.includes(group) ?? false
    if (gid === undefined || isIn === others.includes(name)) return [line]
    return [[group, password, gid, (isIn ? [...others, name] : rest).join(',')].join(':')]
  })
}

/** userdel takes the group of the account's name with it, if it is its primary one and nobody else is in it. */
export function losesOwnGroup(
  { account, accounts, groups, loginDefs }: Found,
  { name }: Params,
  group: string,
  rest: readonly string[],
): boolean {
  const gid = groups.find(each => each.name === name)?.gid
  const isShared = accounts.some(each => each.gid === gid && each.name !== name)
  return (
    group === name &&
    account?.gid === gid &&
    rest.length === 0 &&
    !isShared &&
    setting(loginDefs, 'USERGROUPS_ENAB') === 'yes'
  )
}

/** What /etc/login.defs says of a name. */
export function setting(loginDefs: string, name: string): string | undefined {
  return new RegExp(`^\\s*${name}\\s+(\\S+)`, 'm').exec(loginDefs)?.[1]
}

/**
 * The number that useradd or groupadd takes: behind the highest in the range, of a system account the highest that is free. The ranges where
 * /etc/login.defs says nothing are those of login.defs(5).
 */
function freeNumber(used: readonly number[], loginDefs: string, kind: 'UID' | 'GID', system: boolean): number {
  const bound = (name: string, otherwise: number) => Number(setting(loginDefs, name) ?? otherwise)
  const least = bound(`${kind}_MIN`, 1000)
  if (system) {
    let number = bound(`SYS_${kind}_MAX`, least - 1)
    while (used.includes(number)) number -= 1
    return number
  }
  const most = bound(`${kind}_MAX`, 60_000)
  return Math.max(least - 1, ...used.filter(number => number >= least && number <= most)) + 1
}
