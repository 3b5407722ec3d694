import type { Host } from 'sak-reconcile'
import { install, simulateInstall } from './apt.ts'
import { aptDependsOn, type Lists, readAll, whyStale } from './found.ts'
import { judge, whyNot } from './judge.ts'
import { isVersion, type Params } from './params.ts'
import { isConfigOnly, isThere, isWhole, parseSimulation, type Row, type Rows, type Simulation } from './parse.ts'
import { type Before, type Decision, known, noOthers, nothingToDo } from './plan.ts'
import { foresee, titleOf } from './simulated.ts'

/** The named packages that are not there, not whole, or of another version. */
export const toInstall = (names: readonly string[], rows: Rows, { version }: Params): readonly string[] =>
  names.filter(name => {
    const row = rows.get(name)
    return !(row && isWhole(row) && isVersion(row.version, version))
  })

/** What apt would do to install; by lists fetched anew where those at hand do not tell. */
export async function decideInstall(
  host: Host,
  params: Params,
  { names, rows, architecture, lists }: { names: readonly string[]; rows: Rows; architecture: string; lists: Lists },
): Promise<Decision> {
  const isOnDisk = (name: string) => {
    const row = rows.get(name)
    return row !== undefined && isThere(row) && isVersion(row.version, params.version)
  }
  const specs = names.map(name => specOf(name, isOnDisk(name) ? rows.get(name) : undefined, params))
  const wanted = names.filter(name => !isOnDisk(name))
  const stale = wanted.length > 0 ? whyStale(lists, params) : undefined
  if (stale !== undefined) return unforeseen(host, params, { names, wanted, specs, architecture, stale })

  const [simulated, all] = await Promise.all([
    host.command(simulateInstall(params, specs), { dependsOn: aptDependsOn }),
    readAll(host, architecture),
  ])
  if (simulated.code !== 0) {
    const reasons = [await whyNot(host, simulated, { specs, lists })]
    return { plan: nothingToDo, lists: known, versions: new Map(), others: noOthers, reasons }
  }
  const simulation = parseSimulation(simulated.stdout)
  const allowed = { removals: simulation.removes.length > 0, downgrades: simulation.downgrades.length > 0 }
  const argv = install(params, pinsOf(simulation, names), allowed)
  const foreseen = await foresee(host, { names, all, simulation, argv, verb: 'install', purge: false })
  return { ...foreseen, lists: known, reasons: judge(params, names, simulation, all.rows) }
}

/** As apt-get is to be told; what is half there already is brought to its end. */
function specOf(name: string, there: Row | undefined, { version }: Params): string {
  const wanted = there?.version ?? version
  return wanted === undefined ? name : `${name}=${wanted}`
}

/** Just what was simulated. What else was left half-way is configured without being named, which would mark it as wanted. */
const pinsOf = ({ installs, removes, configures }: Simulation, names: readonly string[]): readonly string[] => [
  ...installs.map(({ name, to }) => `${name}=${to}`),
  ...removes.map(name => `${name}-`),
  ...configures.filter(({ name }) => names.includes(name)).map(({ name, version }) => `${name}=${version}`),
]

interface Unforeseen {
  readonly names: readonly string[]
  readonly wanted: readonly string[]
  readonly specs: readonly string[]
  readonly architecture: string
  readonly stale: string
}

/** The lists are fetched first; which versions they have nobody can foresee. apt itself then refuses to remove and to go back. */
async function unforeseen(
  host: Host,
  params: Params,
  { names, wanted, specs, architecture, stale }: Unforeseen,
): Promise<Decision> {
  const { rows, isInterrupted } = await readAll(host, architecture)
  const areNew = names.every(name => !isThere(rows.get(name)))
  const run = {
    title: `${titleOf('install', names, 0)}, in the version that the lists have then`,
    argv: install(params, specs, { removals: false, downgrades: false }),
    impact: 'restart',
    touches: 'unforeseen',
    automatic: [],
    undo: areNew ? wholeBefore(rows) : 'none',
  } as const
  return {
    plan: { finish: isInterrupted, fetch: wanted, run },
    lists: stale,
    versions: new Map(),
    others: noOthers,
    reasons: [],
  }
}

function wholeBefore(rows: Rows): Before {
  // what was broken before is nobody's to put back
  const was = (row: Row) => (isWhole(row) ? row.version : isConfigOnly(row) ? 'config' : isThere(row) ? '-' : 'none')
  const table = [...rows].map(([name, row]) => `${name} ${was(row)}\n`).join('')
  return { mode: 'whole', table, automatic: [] }
}
