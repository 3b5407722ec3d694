import type { Host } from 'sak-reconcile'
import { madison } from './apt.ts'
import type { All } from './found.ts'
import { inWords, isConfigOnly, parseMadison, type Rows, type Simulation } from './parse.ts'
import type { AptRun, Before, Decision } from './plan.ts'

interface Simulated {
  /** The named packages that are to change. */
  readonly names: readonly string[]
  readonly all: All
  readonly simulation: Simulation
  /** What does just what was simulated. */
  readonly argv: readonly string[]
  readonly verb: 'install' | 'remove'
  readonly purge: boolean
}

/** What a run of apt that was simulated changes, and how it goes back. */
export async function foresee(
  host: Host,
  { names, all, simulation, argv, verb, purge }: Simulated,
): Promise<Pick<Decision, 'plan' | 'versions' | 'others'>> {
  const { rows, automatic, isInterrupted } = all
  const { installs, removes, configures } = simulation
  const undoable = await canGoBack(host, rows, simulation, purge)
  const after = new Map([
    ...installs.map(({ name, to }) => [name, to] as const),
    ...configures.map(({ name, version }) => [name, version] as const),
    ...removes.map(name => [name, inWords(undefined)] as const),
  ])
  const others = [...after.keys()].filter(name => !names.includes(name)).sort()
  const dependencies = installs.filter(({ name, from }) => others.includes(name) && (!from || automatic.has(name)))
  const run: AptRun = {
    title: titleOf(verb, names, others.length),
    argv,
    impact: impactOf(simulation, purge),
    touches: [...after.keys()],
    automatic: dependencies.map(({ name }) => name),
    undo: undoable ? beforeOf(rows, simulation, automatic) : 'none',
  }
  return {
    plan: { finish: isInterrupted, fetch: [], run },
    versions: after,
    others: {
      before: Object.fromEntries(others.map(name => [name, inWords(rows.get(name))])),
      after: Object.fromEntries(others.map(name => [name, after.get(name) ?? ''])),
    },
  }
}

export function titleOf(verb: 'install' | 'remove', names: readonly string[], others: number): string {
  const more = others === 0 ? '' : `, and ${others} more`
  return `${verb} ${names.join(', ')}${more}`
}

/** What is new disturbs nobody; an upgrade restarts its services, as does a package that was left half-way. */
function impactOf({ installs, removes, configures }: Simulation, purge: boolean) {
  if (purge) return 'data'
  const disturbs = removes.length > 0 || configures.length > 0 || installs.some(({ from }) => from !== undefined)
  return disturbs ? 'restart' : 'none'
}

const changedIn = ({ installs, removes }: Simulation) => [
  ...installs.flatMap(({ name, from }) => (from === undefined ? [] : [name])),
  ...removes,
]

/** Whether apt still has the versions that are there now. What is purged never comes back as it was. */
async function canGoBack(host: Host, rows: Rows, simulation: Simulation, purge: boolean): Promise<boolean> {
  const changed = changedIn(simulation)
  if (changed.length === 0) return true
  if (purge) return false
  const versions = parseMadison((await host.command(madison(changed))).stdout)
  return changed.every(name => versions.get(withoutArchitecture(name))?.includes(rows.get(name)?.version ?? ''))
}

export const withoutArchitecture = (name: string) => name.replace(/:.*/, '')

function beforeOf(rows: Rows, simulation: Simulation, automatic: ReadonlySet<string>): Before | 'resumable' {
  const changed = changedIn(simulation)
  const fresh = simulation.installs.filter(({ from }) => from === undefined)
  const lines = [
    ...fresh.map(({ name }) => `${name} ${isConfigOnly(rows.get(name)) ? 'config' : 'none'}\n`),
    ...changed.map(name => `${name} ${rows.get(name)?.version ?? 'none'}\n`),
  ]
  if (lines.length === 0) return 'resumable'
  return { mode: 'listed', table: lines.join(''), automatic: changed.filter(name => automatic.has(name)) }
}
