import type { Unreadable } from 'sak-reconcile'
import type { Followed } from './followed.ts'
import type { Found } from './found.ts'
import { type Params, wantsEnabled } from './params.ts'
import { isDown, running, stateOf, stopped, type Unit } from './parse.ts'

/** What is said of a thing, by its name: the unit, its definition, each path that it follows. */
export type State = Readonly<Record<string, string>>
export interface Layer<Current = State> {
  readonly current: Current
  readonly desired: State
}

/** The name under which reports show whether systemd has in memory what the unit's file says. */
export const definition = 'definition'

export function runningLayer({ unit, restarts, reloads }: Found, params: Params): Layer<State | Unreadable> {
  const { name, state } = params
  const now = stateOf(unit)
  const wantsDown = state === 'stopped' || state === 'masked'
  const wanted = state === 'leave' || (wantsDown && isDown(unit.properties)) ? now : wantsDown ? stopped : running
  const isStale = unit.properties.NeedDaemonReload === 'yes'
  const asSaved = 'as saved'
  const desired = {
    [name]: wanted,
    [definition]: asSaved,
    ...(isList(restarts) && pairs(restarts, 'desired')),
    ...(isList(reloads) && pairs(reloads, 'desired')),
  }
  if (!isList(restarts)) return { current: restarts, desired }
  if (!isList(reloads)) return { current: reloads, desired }
  const current = {
    [name]: now,
    [definition]: isStale ? 'older than its file' : asSaved,
    ...pairs(restarts, 'current'),
    ...pairs(reloads, 'current'),
  }
  return { current, desired }
}

const isList = (followed: readonly Followed[] | Unreadable): followed is readonly Followed[] => Array.isArray(followed)
const pairs = (followed: readonly Followed[], side: 'current' | 'desired') =>
  Object.fromEntries(followed.map(each => [each.path, each[side]]))

export function bootLayer({ unit, lingers }: Found, params: Params): Layer {
  const { name } = params
  const found = unit.properties.UnitFileState || 'none'
  const wanted = bootWanted(found, unit, params)
  const lingering = lingers !== undefined && wanted === 'enabled'
  return {
    current: { [name]: found, ...(lingering && { linger: lingers ? 'yes' : 'no' }) },
    desired: { [name]: wanted, ...(lingering && { linger: 'yes' }) },
  }
}

/** What is enabled until the next reboot only is not started then. */
const canBeEnabled = ['disabled', 'enabled-runtime']

function bootWanted(found: string, { properties }: Unit, params: Params): string {
  const { state, overrides } = params
  if (state === 'masked') return 'masked'
  const wanted = wantsEnabled(params)
  if (properties.LoadState === 'masked') {
    const unmasked = { true: 'enabled', false: 'disabled', leave: 'unmasked' }[`${wanted}`]
    return state === 'running' && overrides === 'remove' ? unmasked : found
  }
  if (wanted === 'leave') return found
  if (wanted) return canBeEnabled.includes(found) ? 'enabled' : found
  return found === 'enabled' ? 'disabled' : found
}
