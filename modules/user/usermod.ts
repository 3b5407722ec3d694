import type { AccountState } from './state.ts'

/** The options of usermod that turn one state of an account into another; none where it has nothing to do. */
export function usermodOptions(from: AccountState, to: AccountState): readonly string[] {
  const { uid, group, groups, comment, home, shell } = to
  return [
    ...(uid !== undefined && uid !== from.uid ? ['--uid', String(uid)] : []),
    ...(group !== from.group ? ['--gid', group] : []),
    ...(groups.join() !== from.groups.join() ? ['--groups', groups.join(',')] : []),
    ...(comment !== from.comment ? ['--comment', comment] : []),
    ...(home !== from.home ? ['--home', home] : []),
    ...(shell !== from.shell ? ['--shell', shell] : []),
  ]
}

/** The options of useradd that make it. The home is made by steps of their own. */
export function useraddOptions(to: AccountState, { system, ownGroup }: { system: boolean; ownGroup: boolean }) {
  const { uid, group, groups, comment, home, shell } = to
  return [
    ...(system ? ['--system'] : []),
    ...(uid === undefined ? [] : ['--uid', String(uid)]),
    ...(ownGroup ? ['--user-group'] : ['--gid', group]),
    ...(groups.length > 0 ? ['--groups', groups.join(',')] : []),
    ...(comment === '' ? [] : ['--comment', comment]),
    ...['--home-dir', home, '--no-create-home', '--shell', shell],
  ]
}
