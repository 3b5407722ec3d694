import { posix } from 'node:path'
import { blocked, otherThan, type SakError } from 'sak-reconcile'
import type { Found } from './found.ts'
import type { Params } from './params.ts'
import { inUse, namesOf, type Running, type Stale } from './processes.ts'
import { lacksHome, missingGroups } from './state.ts'

/** Why an account cannot be made, changed or removed as it should be. */
export function objections(found: Found, params: Params, running: Running, stale: Stale): readonly SakError[] {
  const { name, absent } = params
  if (!found.hasTools) {
    return [
      blocked('not-installed', 'there is no /usr/sbin/useradd', "package({ name: 'passwd' }) makes it, on Debian"),
    ]
  }
  if (found.elsewhere.account) {
    return [
      blocked(
        'unsupported',
        `${name} is no account of /etc/passwd: another source of names (see /etc/nsswitch.conf) has it`,
        'change it where it is kept, or choose another name',
      ),
    ]
  }
  return absent
    ? toRemoval(found, params, running)
    : [...toAccount(found, params, running), ...toGroups(found, params), ...toStrays(stale)]
}

function toRemoval({ account, home }: Found, { name, removeHome }: Params, running: Running): readonly SakError[] {
  if (!account) return []
  const { path, stat } = home
  const isOwn = stat === null || (stat.owner === name && /^\/[^/]+\/[^/]/.test(path))
  return [
    ...inUse(name, running, 'cannot be removed'),
    ...(removeHome && !isOwn
      ? [
          blocked(
            'refused',
            `${path}, the home of ${name}, is not its own to be removed`,
            'removeHome: false leaves it',
          ),
        ]
      : []),
  ]
}

function toAccount(found: Found, params: Params, running: Running): readonly SakError[] {
  const { name, uid, renumber } = params
  const { account, accounts, shell } = found
  const holder = accounts.find(each => each.uid === uid && each.name !== name)
  const isOther = account !== undefined && uid !== undefined && account.uid !== uid
  const moves = account !== undefined && params.home !== undefined && params.home !== account.home
  return [
    ...(holder ? [blocked('refused', `the number ${uid} is that of ${holder.name}`, 'choose another uid')] : []),
    ...(isOther && !renumber
      ? [
          blocked(
            'refused',
            `${name} has the number ${account.uid}: files outside of ${account.home} would keep it when it gets ${uid}`,
            `renumber: true does it; find / -xdev -uid ${account.uid} tells which they are`,
          ),
        ]
      : []),
    ...(isOther || moves ? inUse(name, running, `cannot get another ${isOther ? 'number' : 'home'}`) : []),
    ...(!account || params.shell !== undefined ? toShell(shell) : []),
    ...toHome(found, params),
  ]
}

function toShell({ path, stat }: Found['shell']): readonly SakError[] {
  if (stat?.type === 'file') return []
  return [blocked('refused', `there is no program ${path} to be the shell`, 'install it, or state another shell')]
}

function toHome(found: Found, params: Params): readonly SakError[] {
  const { account, home } = found
  const { path, stat, parent } = home
  const above = posix.dirname(path)
  if (lacksHome(found, params)) {
    if (parent?.type === 'directory') return []
    const hint = `directory({ path: '${above}' }) before this task makes it; createHome: false does without`
    return [blocked('refused', `there is no directory ${above} to make the home in`, hint)]
  }
  if (params.createHome === false || params.system || account) return []
  const isForeign = stat?.type === 'directory' && stat.owner !== params.name
  return [
    ...otherThan('directory', path, stat),
    ...(isForeign
      ? [
          blocked(
            'refused',
            `${path} is there already, and belongs to ${stat.owner === 'UNKNOWN' ? 'no account of the host' : stat.owner}`,
            'createHome: false leaves it as it is; a task directory({ ... }) after this one gives it away',
          ),
        ]
      : []),
  ]
}

function toGroups(found: Found, params: Params): readonly SakError[] {
  const hint = 'createGroups: true makes it'
  return [
    ...found.elsewhere.groups.map(group =>
      blocked('unsupported', `the group ${group} is not in /etc/group: another source of names has it`),
    ),
    ...(params.createGroups ? [] : missingGroups(found, params)).map(group =>
      blocked('no-such-user', `there is no group ${group} on the host`, hint),
    ),
  ]
}

function toStrays({ strays }: Stale): readonly SakError[] {
  if (strays.length === 0) return []
  return [
    blocked(
      'refused',
      `runs on with the groups that it had, and no unit of systemd that could be restarted: ${namesOf(strays)}`,
      "stop it, and start it again once this is applied; oldGroups: 'leave' does not look",
    ),
  ]
}
