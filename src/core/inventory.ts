import { SakError } from './errors.ts'
import type { Declaration } from './inventory/declarations.ts'
import { buildGraph, type HostNode, type InventoryGraph } from './inventory/graph.ts'
import { originsOf, resolveHost } from './inventory/resolve.ts'
import { type InventoryInput, readInventoryInput } from './inventory/schema.ts'
import { type Inventory, type InventoryHost, inventoryBrand, type VariableOrigin } from './inventory/types.ts'
import { didYouMean } from './nearest.ts'

export type { InventoryValue } from './inventory/declarations.ts'
export { type InventoryInput, inventorySchema } from './inventory/schema.ts'
export type { Inventory, InventoryGroup, InventoryHost, VariableOrigin } from './inventory/types.ts'

/**
 * An inventory from hosts and groups, checked at once:
 * `defineInventory({ hosts: { web1: { address: '10.0.0.5' } }, groups: { web: { hosts: ['web1'] } } })`.
 * Throws SakError 'invalid-inventory' for keys and values that do not fit, and for names that are unknown, doubled or circular.
 */
export function defineInventory(input: InventoryInput): Inventory {
  const locate = (path: readonly PropertyKey[]) => ['inventory', ...path.map(String)].join('.')
  return inventoryOf(readInventoryInput(input, locate))
}

/** One inventory of several. Groups and variables of the same name are merged; the later inventory wins. */
export function mergeInventories(inventories: readonly Inventory[]): Inventory {
  const sources = inventories.flatMap(inventory => inventory.sources ?? [])
  return inventoryOf(
    inventories.flatMap(inventory => inventory.graph.declarations),
    sources,
  )
}

/** An inventory of what any format declared, in which files. Throws SakError 'invalid-inventory'. */
export function inventoryOf(declarations: readonly Declaration[], sources: readonly string[] = []): Inventory {
  const graph = buildGraph(declarations)
  const hosts = hostsBelow(graph, 'all').flatMap(name => {
    const node = graph.hosts.get(name)
    return node ? [[name, resolveHost(graph, node)] as const] : []
  })
  const groups = [...graph.groups.values()].map(
    ({ name, hosts, children }) => [name, { name, hosts: [...hosts], children: [...children.keys()] }] as const,
  )
  return { [inventoryBrand]: true, hosts: new Map(hosts), groups: new Map(groups), graph, sources }
}

/** Whether a value is an inventory of this or of another copy of the package. */
export function isInventory(value: unknown): value is Inventory {
  return typeof value === 'object' && value !== null && inventoryBrand in value
}

/** This machine, over the local connection. It has the variables of `all`, when an inventory is given. */
export function localhost(inventory?: Inventory, name = 'localhost'): InventoryHost {
  const graph = inventory?.graph ?? buildGraph([])
  const settings: HostNode['settings'] = new Map([['connection', { value: 'local', at: 'built in' }]])
  const node: HostNode = { name, at: 'built in', declared: true, vars: new Map(), directoryVars: new Map(), settings }
  return resolveHost(graph, node)
}

/** The names of all hosts of a group and of its children, in the inventory's order; none for an unknown group. */
export function hostsOfGroup(inventory: Inventory, group: string): string[] {
  return hostsBelow(inventory.graph, group)
}

/** What there is to choose from, for messages: `hosts.yaml has the groups: web, db; and the hosts: web1, db1`. */
export function inventoryNames({ hosts, groups, sources = [] }: Inventory): string {
  const whose = `${sources.join(', ') || 'The inventory'} ${sources.length > 1 ? 'have' : 'has'}`
  const own = [...groups.keys()].filter(name => name !== 'all' && name !== 'ungrouped')
  if (hosts.size === 0) return `${whose} no host`
  const ofHosts = `the hosts: ${listed([...hosts.keys()])}`
  return own.length === 0 ? `${whose} ${ofHosts}` : `${whose} the groups: ${listed(own)}; and ${ofHosts}`
}

const listed = (names: readonly string[]) => `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}`

/**
 * Where each setting and variable of a host comes from, by name, with the weaker places that it overrides.
 * Throws SakError 'usage' for an unknown host.
 */
export function explainHost(inventory: Inventory, host: string): VariableOrigin[] {
  const node = inventory.graph.hosts.get(host)
  if (node) return originsOf(inventory.graph, node)
  const hint = didYouMean(host, inventory.hosts.keys()) ?? inventoryNames(inventory)
  throw new SakError('usage', `The inventory has no host "${host}"`, { hint })
}

/** Hosts of a group and of all groups below it, level by level. */
function hostsBelow(graph: InventoryGraph, group: string): string[] {
  const groups = new Set([group])
  const hosts = new Set<string>()
  for (const name of groups) {
    const node = graph.groups.get(name)
    for (const child of node?.children.keys() ?? []) groups.add(child)
    for (const host of node?.hosts ?? []) hosts.add(host)
  }
  return [...hosts]
}
