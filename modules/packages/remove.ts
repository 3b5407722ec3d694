import type { Host } from 'sak-reconcile'
import { remove, simulateRemoval } from './apt.ts'
import { aptDependsOn, readAll } from './found.ts'
import { judge, whyNot } from './judge.ts'
import type { Params } from './params.ts'
import { isConfigOnly, isThere, parseSimulation, type Rows } from './parse.ts'
import { type Decision, known, noOthers, nothingToDo } from './plan.ts'
import { foresee } from './simulated.ts'

/** The named packages that are there, and with `purge` those that have left their configuration. */
export const toRemove = (names: readonly string[], rows: Rows, { purge }: Params): readonly string[] =>
  names.filter(name => isThere(rows.get(name)) || (purge && isConfigOnly(rows.get(name))))

/** What apt would do to remove. */
export async function decideRemoval(
  host: Host,
  params: Params,
  { names, architecture }: { names: readonly string[]; architecture: string },
): Promise<Decision> {
  const [simulated, all] = await Promise.all([
    host.command(simulateRemoval(params, names), { dependsOn: aptDependsOn }),
    readAll(host, architecture),
  ])
  if (simulated.code !== 0) {
    const reasons = [await whyNot(host, simulated, { specs: names })]
    return { plan: nothingToDo, lists: known, versions: new Map(), others: noOthers, reasons }
  }
  const simulation = parseSimulation(simulated.stdout)
  const replacements = simulation.installs.map(({ name, to }) => `${name}=${to}+`)
  const argv = remove(params, [...new Set([...names, ...simulation.removes]), ...replacements])
  const foreseen = await foresee(host, {
    names,
    all,
    simulation,
    argv,
    verb: 'remove',
    purge: params.purge,
  })
  return { ...foreseen, lists: known, reasons: judge(params, names, simulation, all.rows) }
}
