import { SakError } from '../../core/errors.ts'
import type { Declaration, InventoryValue, Locate } from '../../core/inventory/declarations.ts'
import { refuseVault } from './vault.ts'

export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** "a list", "text", ...: what a message calls a value. */
export function kindOfValue(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : typeof value === 'string' ? 'text' : `a ${typeof value}`
}

/** A mapping; nothing counts as an empty one. Throws SakError 'invalid-inventory' for anything else. */
export function mappingAt(value: unknown, what: string, at: string, hint: string): Mapping {
  if (value === null || value === undefined) return {}
  if (isMapping(value)) return value
  throw new SakError('invalid-inventory', `${at}: ${what} must be a mapping, and is ${kindOfValue(value)}`, { hint })
}

/** Throws SakError 'invalid-inventory': of two entries with one key nobody can say which is meant. */
export function refuseTwice(key: string, at: string): never {
  throw new SakError('invalid-inventory', `${at}: the key "${key}" is given twice`, {
    hint: 'Join the two entries into one.',
  })
}

/** A value as a variable may hold it. Ansible's JSON wraps text that is never a template, and encrypted text, in an object of one key. */
function toInventoryValue(value: unknown, key: string, at: string): InventoryValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (Array.isArray(value)) return value.map(item => toInventoryValue(item, key, at))
  if (!isMapping(value)) {
    throw new SakError('invalid-inventory', `${at}: ${key} holds what JSON cannot: ${kindOfValue(value)}`)
  }
  if (typeof value.__ansible_unsafe === 'string') return value.__ansible_unsafe
  if ('__ansible_vault' in value) refuseVault(`${at}: ${key}`)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toInventoryValue(inner, key, at)]))
}

/** The variables that a mapping of any origin sets on a host or group. */
export function declareVars(
  owner: { readonly of: 'group' | 'host'; readonly name: string; readonly directory?: string },
  vars: Mapping,
  locate: (key: string) => string,
): Declaration[] {
  return Object.entries(vars).map(([key, value]) => {
    const at = locate(key)
    return { kind: 'var', ...owner, key, value: toInventoryValue(value, key, at), at }
  })
}

/** A locator within a part of a document. */
export function within(locate: Locate, ...prefix: readonly PropertyKey[]): Locate {
  return path => locate([...prefix, ...path])
}
