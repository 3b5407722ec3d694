import { connectionOf, isConnectionVariable, isSecretVariable } from './connection-settings.ts'
import type { InventoryValue } from './declarations.ts'
import type { GroupNode, HostNode, InventoryGraph, Placed, Variables } from './graph.ts'
import type { InventoryHost, VariableOrigin } from './types.ts'

interface Layer {
  readonly from: string
  readonly vars: Variables
}

/** The names of the groups that a host is in, by itself or through their children; parents first, without `all`. */
function groupsOf(graph: InventoryGraph, host: string): GroupNode[] {
  const found = new Set<GroupNode>()
  const collect = (group: GroupNode) => {
    if (group.name === 'all' || found.has(group)) return
    found.add(group)
    for (const parent of group.parents) {
      const node = graph.groups.get(parent)
      if (node) collect(node)
    }
  }
  for (const group of graph.groups.values()) if (group.hosts.has(host)) collect(group)
  return [...found].sort(
    (a, b) => a.depth - b.depth || a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  )
}

/** Where a host's variables come from, the weakest first: Ansible's order. */
function layersOf(graph: InventoryGraph, host: HostNode, groups: readonly GroupNode[]): Layer[] {
  const all = graph.groups.get('all')
  const own = (node: GroupNode): Layer => ({ from: `group ${node.name}`, vars: node.vars })
  const fromDirectory = (node: GroupNode | HostNode, from: string, directory: string): Layer[] => {
    const vars = node.directoryVars.get(directory)
    return vars ? [{ from, vars }] : []
  }
  const { directories } = graph
  return [
    ...(all ? [own(all)] : []),
    ...groups.map(own),
    ...directories.flatMap(directory => (all ? fromDirectory(all, 'group all', directory) : [])),
    ...directories.flatMap(directory =>
      groups.flatMap(group => fromDirectory(group, `group ${group.name}`, directory)),
    ),
    { from: `host ${host.name}`, vars: host.vars },
    ...directories.flatMap(directory => fromDirectory(host, `host ${host.name}`, directory)),
  ]
}

/** A host with all that its groups give it. Throws SakError 'invalid-inventory' for connection settings that make no sense. */
export function resolveHost(graph: InventoryGraph, node: HostNode): InventoryHost {
  const groups = groupsOf(graph, node.name)
  const merged: Map<string, Placed> = new Map()
  for (const { vars } of layersOf(graph, node, groups)) for (const [key, placed] of vars) merged.set(key, placed)
  const vars: [string, InventoryValue][] = []
  for (const [key, { value }] of merged) if (!isConnectionVariable(key)) vars.push([key, value])
  return {
    name: node.name,
    ...connectionOf(node.name, node.settings, merged),
    vars: Object.fromEntries(vars),
    groups: groups.map(group => group.name),
  }
}

/** Where each variable and setting of a host comes from, by name. */
export function originsOf(graph: InventoryGraph, node: HostNode): VariableOrigin[] {
  const found = new Map<string, { from: string; at: string; value: InventoryValue }[]>()
  const note = (key: string, from: string, { value, at }: Placed) => {
    const places = found.get(key) ?? []
    places.unshift({ from, at, value })
    found.set(key, places)
  }
  for (const { from, vars } of layersOf(graph, node, groupsOf(graph, node.name))) {
    for (const [key, placed] of vars) note(key, from, placed)
  }
  const settings = new Map<string, Placed>(node.settings)
  const fromSettings = [...settings].map(([name, { value, at }]) => {
    const origin = { name, kind: 'setting' as const, from: `host ${node.name}`, at, overrides: [] }
    return isSecretVariable(name) ? { ...origin, secret: true as const } : { ...origin, secret: false as const, value }
  })
  const fromVars = [...found].flatMap(([name, [strongest, ...weaker]]) => {
    if (!strongest) return []
    const { from, at, value } = strongest
    const origin = { name, kind: 'var' as const, from, at, overrides: weaker.map(({ from, at }) => ({ from, at })) }
    return [
      isSecretVariable(name) ? { ...origin, secret: true as const } : { ...origin, secret: false as const, value },
    ]
  })
  const byName = (a: VariableOrigin, b: VariableOrigin) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  return [...fromSettings.sort(byName), ...fromVars.sort(byName)]
}
