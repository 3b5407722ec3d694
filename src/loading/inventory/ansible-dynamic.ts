import { SakError } from '../../core/errors.ts'
import type { Declaration, Locate } from '../../core/inventory/declarations.ts'
import { declareVars, isMapping, kindOfValue, type Mapping, mappingAt, within } from './values.ts'

/** What an inventory program printed for `--list`. */
export interface DynamicInventory {
  readonly declarations: readonly Declaration[]
  readonly hosts: readonly string[]
  /** Whether `_meta.hostvars` was there; without it the program must be asked for each host. */
  readonly hasHostVars: boolean
}

/**
 * Reads Ansible's dynamic JSON: `{ "web": { "hosts": ["web1"], "vars": {}, "children": [] }, "_meta": { "hostvars": { "web1": {} } } }`.
 * A group may also be a plain list of hosts. As in Ansible, `hostvars` of a host that is in no group count for nothing.
 * Throws SakError 'invalid-inventory' that names the key.
 */
export function readDynamicInventory(data: unknown, program: string): DynamicInventory {
  const locate: Locate = path => (path.length === 0 ? program : `${program}: ${path.map(String).join('.')}`)
  if (!isMapping(data)) throw wrong(`${program} printed ${kindOfValue(data)} where a mapping of groups is wanted`)
  const { _meta, ...groups } = data
  const declarations = Object.entries(groups).flatMap(([name, group]) => readGroup(name, group, within(locate, name)))
  const hosts = [...new Set(declarations.flatMap(one => (one.kind === 'host' ? [one.host] : [])))]
  const meta = mappingAt(_meta, '_meta', locate(['_meta']), 'Print {"_meta": {"hostvars": {...}}}.')
  if (!('hostvars' in meta)) return { declarations, hosts, hasHostVars: false }
  const hostVars = mappingAt(meta.hostvars, 'hostvars', locate(['_meta', 'hostvars']), 'Print variables by host.')
  const fromMeta = hosts.flatMap(host => {
    const own = Object.hasOwn(hostVars, host) ? hostVars[host] : undefined
    return readHostVars(host, own, within(locate, '_meta', 'hostvars', host))
  })
  return { declarations: [...declarations, ...fromMeta], hosts, hasHostVars: true }
}

/** The variables of one host, as in `_meta.hostvars` or printed for `--host NAME`. */
export function readHostVars(host: string, vars: unknown, locate: Locate): Declaration[] {
  const mapping = mappingAt(vars, `variables of host "${host}"`, locate([]), 'Print a mapping of names to values.')
  return declareVars({ of: 'host', name: host }, mapping, key => locate([key]))
}

function readGroup(name: string, group: unknown, locate: Locate): Declaration[] {
  const fields: Mapping = isMapping(group) ? group : { hosts: group }
  if (!['hosts', 'vars', 'children'].some(key => key in fields)) {
    throw wrong(`${locate([])}: group "${name}" has none of hosts, vars, children`, 'Print {"hosts": [...]} for it.')
  }
  const names = (key: string) => namesAt(fields[key], `${key} of group "${name}"`, locate([key]))
  const vars = mappingAt(fields.vars, `vars of group "${name}"`, locate(['vars']), 'Print a mapping.')
  return [
    { kind: 'group', group: name, at: locate([]) },
    ...names('hosts').flatMap((host): Declaration[] => [
      { kind: 'host', host, at: locate(['hosts']) },
      { kind: 'member', group: name, host, at: locate(['hosts']) },
    ]),
    ...declareVars({ of: 'group', name }, vars, key => locate(['vars', key])),
    ...names('children').flatMap((child): Declaration[] => [
      { kind: 'group', group: child, at: locate(['children']) },
      { kind: 'child', group: name, child, at: locate(['children']) },
    ]),
  ]
}

function namesAt(value: unknown, what: string, at: string): string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every(name => typeof name === 'string')) return value
  throw wrong(`${at}: ${what} must be a list of names, and is ${kindOfValue(value)}`, 'Print ["web1", "web2"].')
}

function wrong(message: string, hint?: string): SakError {
  return new SakError('invalid-inventory', message, hint === undefined ? {} : { hint })
}
