/** What is and what should be, of all apps side by side: `shop.instances`, `shop.env.PORT`. */
import { blocked, type SakError } from 'sak-reconcile'
import { type AppState, currentState, desiredState, unlistedValue } from './app.ts'
import type { UnitState } from './boot.ts'
import type { Scalar } from './fields.ts'
import type { Params } from './params.ts'
import type { Pm2Process } from './parse.ts'
import type { Place } from './place.ts'

export type Report = Readonly<Record<string, Scalar>>

/** What the reports and the steps are made from. */
export interface Facts {
  readonly place: Place
  readonly processors: number
  /** What runs, or where no daemon does, what its start will bring back. */
  readonly processes: readonly Pm2Process[]
  readonly unit: { readonly current: UnitState; readonly desired: UnitState }
}

export const named = (processes: readonly Pm2Process[], name: string): readonly Pm2Process[] =>
  processes.filter(process => process.name === name)

/** An app as it is among processes. */
export function stateOf({ place }: Facts, processes: readonly Pm2Process[], { apps }: Params, name: string): AppState {
  const app = apps.find(each => each.name === name)
  return currentState(named(processes, name), place.pm2Home, app)
}

/** The listed apps as they should be. */
export function desiredApps({ processors }: Facts, { apps }: Params): Report {
  return sideBySide(apps.map(app => [app.name, desiredState(app, processors)]))
}

/** What runs. */
export function runningReport(facts: Facts, running: readonly Pm2Process[], params: Params): Report {
  const unlisted = params.unlisted === 'stop' ? onlineUnlisted(facts.processes, params) : []
  const daemon = facts.place.daemon ? 'running' : 'none'
  return { daemon, ...listedApps(facts, running, params), ...statuses(unlisted, 'online') }
}

/** What must run. */
export function desiredRunning(facts: Facts, params: Params): Report {
  const unlisted = params.unlisted === 'stop' ? onlineUnlisted(facts.processes, params) : []
  return { daemon: 'running', ...desiredApps(facts, params), ...statuses(unlisted, 'stopped') }
}

/** What a boot would bring back. Of apps that are not listed: those that it shall not, and those that a save would forget. */
export function dumpReport(facts: Facts, dumped: readonly Pm2Process[], params: Params): Report {
  const listed = listedApps(facts, dumped, params)
  const unlisted = onlineUnlisted(dumped, params)
  const forgotten = unlisted.filter(name => facts.place.daemon && named(facts.processes, name).length === 0)
  const saving = differs(listed, desiredApps(facts, params))
  const told = params.unlisted === 'stop' ? unlisted : saving ? forgotten : []
  return { ...listed, ...statuses(told, 'online') }
}

/** Apps that nobody listed, and that are not stopped. */
export function onlineUnlisted(processes: readonly Pm2Process[], { apps }: Params): readonly string[] {
  const unlisted = processes.filter(({ name, env }) => env.status !== 'stopped' && !apps.some(app => app.name === name))
  return [...new Set(unlisted.map(({ name }) => name))]
}

/** Variables that somebody gave to a running app by hand, and that its recreation would take away. */
export function refuseVariables(facts: Facts, params: Params): SakError[] {
  return params.apps.flatMap(({ name }) => {
    const state = stateOf(facts, facts.processes, params, name)
    const unlisted = Object.keys(state).filter(key => state[key] === unlistedValue)
    if (unlisted.length === 0) return []
    const variables = unlisted.map(key => key.replace('env.', '')).join(', ')
    const hint = 'add them to its env, or set takeOver to true to have them removed'
    return [blocked('refused', `${name} was started by hand with variables that are not listed: ${variables}`, hint)]
  })
}

export function differs(before: Report, after: Report): boolean {
  return [...Object.keys(before), ...Object.keys(after)].some(key => before[key] !== after[key])
}

function listedApps(facts: Facts, processes: readonly Pm2Process[], params: Params): Report {
  return sideBySide(params.apps.map(({ name }) => [name, stateOf(facts, processes, params, name)]))
}

function sideBySide(apps: readonly (readonly [string, AppState])[]): Report {
  return Object.fromEntries(
    apps.flatMap(([name, state]) => Object.entries(state).map(([key, value]) => [`${name}.${key}`, value])),
  )
}

const statuses = (names: readonly string[], status: string): Report =>
  Object.fromEntries(names.map(name => [`${name}.status`, status]))
