import { SakError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import type { Declaration, InventoryValue, SettingName } from './declarations.ts'
import { checkName } from './names.ts'

/** A value and where it was set. */
export interface Placed<T = InventoryValue> {
  readonly value: T
  readonly at: string
}

export type Variables = Map<string, Placed>

export interface GroupNode {
  readonly name: string
  /** Where it was first named. */
  readonly at: string
  declared: boolean
  readonly hosts: Set<string>
  readonly children: Map<string, string>
  readonly parents: Set<string>
  readonly vars: Variables
  /** By directory that holds group_vars/. */
  readonly directoryVars: Map<string, Variables>
  priority: number
  /** Steps from `all` by the longest way. */
  depth: number
}

export interface HostNode {
  readonly name: string
  readonly at: string
  declared: boolean
  readonly vars: Variables
  /** By directory that holds host_vars/. */
  readonly directoryVars: Map<string, Variables>
  readonly settings: Map<SettingName, Placed<string | number | boolean>>
}

/** Hosts and groups by name, tied together and checked. */
export interface InventoryGraph {
  readonly declarations: readonly Declaration[]
  readonly groups: Map<string, GroupNode>
  readonly hosts: Map<string, HostNode>
  /** Directories with group_vars/ or host_vars/, the weakest first. */
  readonly directories: readonly string[]
}

interface Draft {
  readonly groups: Map<string, GroupNode>
  readonly hosts: Map<string, HostNode>
}

/**
 * Ties declarations into a graph, with `all` above everything and `ungrouped` for hosts in no other group.
 * Throws SakError 'invalid-inventory' for names that are unknown, circular, or both a host's and a group's.
 */
export function buildGraph(declarations: readonly Declaration[]): InventoryGraph {
  const draft: Draft = { groups: new Map(), hosts: new Map() }
  for (const name of ['all', 'ungrouped']) groupNode(draft, name, 'built in').declared = true
  linkChild(draft, 'all', 'ungrouped', 'built in')
  for (const declaration of declarations) add(draft, declaration)
  refuseUnknown(draft)
  refuseShared(draft)
  adoptOrphans(draft)
  setDepths(draft)
  const directories = declarations.flatMap(one => (one.kind === 'var' && one.directory ? [one.directory] : []))
  return { declarations, ...draft, directories: [...new Set(directories)] }
}

function groupNode({ groups }: Draft, name: string, at: string): GroupNode {
  const known = groups.get(name)
  if (known) return known
  const node: GroupNode = {
    name,
    at,
    declared: false,
    hosts: new Set(),
    children: new Map(),
    parents: new Set(),
    vars: new Map(),
    directoryVars: new Map(),
    priority: 1,
    depth: 0,
  }
  groups.set(checkName('group', name, at), node)
  return node
}

function hostNode({ hosts }: Draft, name: string, at: string): HostNode {
  const known = hosts.get(name)
  if (known) return known
  const node: HostNode = { name, at, declared: false, vars: new Map(), directoryVars: new Map(), settings: new Map() }
  hosts.set(checkName('host', name, at), node)
  return node
}

function linkChild(draft: Draft, group: string, child: string, at: string): void {
  const { children } = groupNode(draft, group, at)
  if (!children.has(child)) children.set(child, at)
  groupNode(draft, child, at).parents.add(group)
}

function add(draft: Draft, declaration: Declaration): void {
  const { at } = declaration
  switch (declaration.kind) {
    case 'group':
      groupNode(draft, declaration.group, at).declared = true
      return
    case 'host': {
      const { host, port } = declaration
      const isNew = !draft.hosts.has(host)
      const node = hostNode(draft, host, at)
      node.declared = true
      if (isNew && port !== undefined) node.vars.set('ansible_port', { value: port, at })
      return
    }
    case 'member':
      groupNode(draft, declaration.group, at).hosts.add(hostNode(draft, declaration.host, at).name)
      return
    case 'child':
      linkChild(draft, declaration.group, declaration.child, at)
      return
    case 'setting':
      hostNode(draft, declaration.host, at).settings.set(declaration.key, { value: declaration.value, at })
      return
    case 'var':
      addVariable(draft, declaration)
  }
}

function addVariable(draft: Draft, { of, name, key, value, directory, at }: Declaration & { kind: 'var' }): void {
  const node = of === 'host' ? hostNode(draft, name, at) : groupNode(draft, name, at)
  if (directory !== undefined) {
    const vars = node.directoryVars.get(directory) ?? new Map()
    node.directoryVars.set(directory, vars.set(key, { value, at }))
  } else if ('priority' in node && key === 'ansible_group_priority') node.priority = priorityOf(value, at)
  else node.vars.set(key, { value, at })
}

function priorityOf(value: InventoryValue, at: string): number {
  const priority = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
  if (Number.isInteger(priority) && value !== '') return priority
  throw new SakError('invalid-inventory', `${at}: ansible_group_priority must be a whole number`)
}

function refuseUnknown({ groups, hosts }: Draft): void {
  for (const [what, nodes] of Object.entries({ group: groups, host: hosts })) {
    const known = [...nodes.values()].filter(node => node.declared).map(node => node.name)
    const unknown = [...nodes.values()].find(node => !node.declared)
    if (!unknown) continue
    throw new SakError('invalid-inventory', `${unknown.at}: ${what} "${unknown.name}" is not defined anywhere`, {
      hint: didYouMean(unknown.name, known) ?? `Define the ${what}, or remove the name.`,
    })
  }
}

function refuseShared({ groups, hosts }: Draft): void {
  for (const { name, at } of hosts.values()) {
    const group = groups.get(name)
    if (!group) continue
    const where = group.at === 'built in' ? 'a group that always exists' : `a group (${group.at})`
    throw new SakError('invalid-inventory', `${at}: "${name}" names a host and also ${where}`, {
      hint: 'Rename one of them: a pattern could not tell which is meant.',
    })
  }
}

/** Gives every group a parent and every host a group, as Ansible does. */
function adoptOrphans(draft: Draft): void {
  const { groups, hosts } = draft
  for (const group of groups.values()) {
    if (group.name !== 'all' && group.parents.size === 0) linkChild(draft, 'all', group.name, group.at)
  }
  const ungrouped = groupNode(draft, 'ungrouped', 'built in')
  const grouped = new Set<string>()
  for (const group of groups.values()) {
    if (group.name !== 'all' && group !== ungrouped) for (const host of group.hosts) grouped.add(host)
  }
  for (const host of hosts.keys()) {
    if (grouped.has(host)) ungrouped.hosts.delete(host)
    else ungrouped.hosts.add(host)
  }
}

/** Walks the groups from the top, each after all of its parents; what is then left over is in a circle. */
function setDepths({ groups }: Draft): void {
  const waiting = new Map([...groups.values()].map(group => [group.name, group.parents.size]))
  const ready = [...groups.values()].filter(group => group.parents.size === 0)
  for (const group of ready) {
    waiting.delete(group.name)
    for (const name of group.children.keys()) {
      const child = groups.get(name)
      if (!child) continue
      child.depth = Math.max(child.depth, group.depth + 1)
      const left = (waiting.get(name) ?? 0) - 1
      waiting.set(name, left)
      if (left === 0) ready.push(child)
    }
  }
  if (waiting.size > 0) throw circleError(groups, waiting)
}

function circleError(groups: ReadonlyMap<string, GroupNode>, left: ReadonlyMap<string, number>): SakError {
  const [first = ''] = left.keys()
  const path: string[] = []
  let name = first
  while (!path.includes(name)) {
    path.push(name)
    name = [...(groups.get(name)?.parents ?? [])].find(parent => left.has(parent)) ?? name
  }
  const circle = [...path.slice(path.indexOf(name)), name].reverse()
  const [parent = '', child = ''] = circle
  const at = groups.get(parent)?.children.get(child) ?? ''
  return new SakError('invalid-inventory', `${at}: groups contain each other: ${circle.join(' > ')}`, {
    hint: 'Remove one of these children.',
  })
}
