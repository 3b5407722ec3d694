import type { Group } from 'sak-reconcile'
import { type Found, usualPlaces } from './found.ts'
import type { Params } from './params.ts'
import type { WantedGroups } from './processes.ts'
import { hashOf, type Lock, lockOf } from './shadow.ts'

/** An account as a report shows it. What was not asked for, or any will do, is left out. */
export interface AccountState {
  readonly uid?: number
  readonly group: string
  /** The other groups that it is in, sorted. */
  readonly groups: readonly string[]
  readonly comment: string
  readonly home: string
  readonly shell: string
}

/** Whether and how one may log in, as far as it was asked for. */
export interface LoginState {
  readonly locked?: Lock
  /** The hash, as a secret, where it is the one that is wanted; else a word for what is there. */
  readonly password?: string
}

/** The account as it is; null where there is none. */
export function currentState({ account, groups }: Found): AccountState | null {
  if (!account) return null
  const { name, uid, gid, comment, home, shell } = account
  return {
    uid,
    group: groups.find(group => group.gid === gid)?.name ?? String(gid),
    groups: groupsOf(name, groups),
    comment,
    home,
    shell,
  }
}

/** How one may log in now. */
export function currentLogin({ shadow }: Found, { locked, password }: Params): LoginState {
  const hash = hashOf(shadow?.password ?? '')
  const other = hash === '' ? 'none' : 'another'
  return {
    ...(locked !== undefined && { locked: shadow ? lockOf(shadow) : 'no' }),
    ...(password !== undefined && { password: hash === password ? hash : other }),
  }
}

/** How one may log in once it is as desired. */
export function desiredLogin({ locked, password }: Params): LoginState {
  return {
    ...(locked !== undefined && { locked: locked ? 'yes' : 'no' }),
    ...(password !== undefined && { password }),
  }
}

const groupsOf = (name: string, groups: readonly Group[]): readonly string[] =>
  groups
    .filter(({ members }) => members.includes(name))
    .map(group => group.name)
    .sort()

/** The account as it should be: what is not stated stays, or is what a new account gets. */
export function desiredState(found: Found, params: Params): AccountState | null {
  const { name, uid, group, groups, appendGroups, comment, absent } = params
  if (absent) return null
  const current = currentState(found)
  const usual = usualPlaces(params)
  const others = groups === undefined || appendGroups ? (current?.groups ?? []) : []
  const primary = group ?? current?.group ?? name
  const number = uid ?? current?.uid
  return {
    ...(number !== undefined && { uid: number }),
    group: primary,
    groups: [...new Set([...others, ...(groups ?? [])])].sort(),
    comment: comment ?? current?.comment ?? '',
    home: params.home ?? current?.home ?? usual.home,
    shell: params.shell ?? current?.shell ?? usual.shell,
  }
}

/** Whether the account is made with a group of its own, called as itself. */
export const makesOwnGroup = ({ account, groups }: Found, { name, group = name }: Params): boolean =>
  !account && group === name && !groups.some(each => each.name === name)

/** The groups that a task names and that the host does not have, apart from the account's own. */
export function missingGroups(found: Found, params: Params): readonly string[] {
  const { group, groups = [] } = params
  const named = [...(group === undefined || makesOwnGroup(found, params) ? [] : [group]), ...groups]
  const known = new Set([...found.groups.map(({ name }) => name), ...found.elsewhere.groups])
  return [...new Set(named)].filter(name => !known.has(name))
}

/** Whether the account is to have a home that is not there. */
export const lacksHome = ({ home }: Found, { createHome, system, absent }: Params): boolean =>
  !absent && (createHome ?? !system) && home.stat === null

/** The groups that what runs as the account is to have, as far as the task states them, and those that it may not have. */
export function wantedGroups({ groups: known }: Found, params: Params, { group, groups }: AccountState): WantedGroups {
  const stated = [...(params.groups ?? []), ...(params.group === undefined ? [] : [params.group])]
  const wanted = stated.map(name => known.find(each => each.name === name) ?? { name, gid: undefined })
  const isExact = params.groups !== undefined && !params.appendGroups
  return { wanted, unwanted: isExact ? known.filter(({ name }) => name !== group && !groups.includes(name)) : [] }
}
