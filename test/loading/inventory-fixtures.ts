import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { explainHost, type Inventory, type InventoryValue } from '../../src/core/inventory.ts'

/** A folder of fixtures/inventory: sources, and what Ansible makes of them. */
export interface InventoryCase {
  readonly name: string
  readonly directory: string
  readonly sources: readonly string[]
}

const root = join(import.meta.dirname, '../../fixtures/inventory')
const notSources = ['expected.json', 'expected-patterns.json', 'sources.txt']

/** All cases. Their sources are the lines of sources.txt, else all files of the folder by name. */
export async function inventoryCases(): Promise<InventoryCase[]> {
  const names = (await readdir(root)).sort()
  return Promise.all(
    names.map(async name => {
      const directory = join(root, name)
      const entries = await readdir(directory, { withFileTypes: true })
      const files = entries.filter(entry => entry.isFile()).map(entry => entry.name)
      const sources = files.includes('sources.txt')
        ? (await readFile(join(directory, 'sources.txt'), 'utf8')).trimEnd().split('\n')
        : files.filter(file => !notSources.includes(file)).sort()
      return { name, directory, sources }
    }),
  )
}

/** The patterns that are tried on the case `patterns`. */
export const triedPatterns: readonly string[] = [
  'all',
  '*',
  'web',
  'web1',
  'lone',
  'ungrouped',
  'prod',
  'web:db',
  'web,db',
  'prod:!db',
  'prod:&db',
  'web:&db:!web4',
  '!web',
  '&db',
  'web*',
  'db?',
  'db*.example.com',
  'web[0]',
  'web[-1]',
  'web[1:2]',
  'web[1:]',
  'web[0:0]',
  'web[2:99]',
  'prod[0]',
  'w*[0:1]',
  'web[13]*',
  '[we]*',
  '[!w]*',
  '~web[12]',
  '~(web|edge).*',
  '~.*example',
  'web1:web1:web',
  'web4:web',
  'db2.example.com',
  'empty',
  'empty:lone',
  'all:!prod',
  'all:!web[0]',
  'web:!~.*[13]$',
  'localhost',
  'e*-?',
]

type Listing = Record<string, { hosts?: readonly string[]; children?: readonly string[] }>

/** What `ansible-inventory --list` says, in an order of its own and without what is Ansible's alone. */
export interface AnsibleView {
  readonly groups: Listing
  readonly hostVars: Readonly<Record<string, InventoryValue>>
}

/** Our inventory as `ansible-inventory --list` would show it. */
export function asAnsibleView(inventory: Inventory): AnsibleView {
  const groups: Listing = {}
  for (const { name, hosts, children } of inventory.groups.values()) {
    const group = {
      ...(name === 'all' || hosts.length === 0 ? {} : { hosts: [...hosts].sort() }),
      ...(children.length === 0 ? {} : { children: [...children].sort() }),
    }
    if (Object.keys(group).length > 0) groups[name] = group
  }
  const hostVars = [...inventory.hosts.values()].map(host => {
    const vars = explainHost(inventory, host.name).map((origin): [string, InventoryValue] => {
      if (!origin.secret) return [origin.name, origin.value]
      return [origin.name, (/become|sudo/.test(origin.name) ? host.becomePassword : host.password) ?? null]
    })
    return [host.name, Object.fromEntries(vars)] as const
  })
  return { groups, hostVars: Object.fromEntries(hostVars.filter(([, vars]) => Object.keys(vars).length > 0)) }
}

/** What Ansible printed, brought into the same shape. */
export function readAnsibleView(list: Record<string, unknown>): AnsibleView {
  const groups: Listing = {}
  for (const [name, group] of Object.entries(list)) {
    if (name === '_meta' || !isObject(group)) continue
    const sorted = Object.entries(group).map(([key, names]) => [key, [...(Array.isArray(names) ? names : [])].sort()])
    groups[name] = Object.fromEntries(sorted)
  }
  const hostVars = isObject(list._meta) && isObject(list._meta.hostvars) ? list._meta.hostvars : {}
  return { groups, hostVars: Object.fromEntries(Object.entries(hostVars).map(([host, vars]) => [host, plain(vars)])) }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value of Ansible's JSON; text that it marks unsafe is text. */
function plain(value: unknown): InventoryValue {
  if (Array.isArray(value)) return value.map(plain)
  if (isObject(value)) {
    if (typeof value.__ansible_unsafe === 'string') return value.__ansible_unsafe
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  throw new Error(`not JSON: ${String(value)}`)
}
