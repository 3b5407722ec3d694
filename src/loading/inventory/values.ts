import { SakError } from '../../core/errors.ts'
import type { Declaration, InventoryValue, Locate } from '../../core/inventory/declarations.ts'

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

function isInventoryValue(value: unknown): value is InventoryValue {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true
  if (Array.isArray(value)) return value.every(isInventoryValue)
  return isMapping(value) && Object.values(value).every(isInventoryValue)
}

/** The variables that a mapping of any origin sets on a host or group. */
export function declareVars(
  owner: { readonly of: 'group' | 'host'; readonly name: string; readonly directory?: string },
  vars: Mapping,
  locate: (key: string) => string,
): Declaration[] {
  return Object.entries(vars).map(([key, value]) => {
    const at = locate(key)
    if (isInventoryValue(value)) return { kind: 'var', ...owner, key, value, at }
    throw new SakError('invalid-inventory', `${at}: ${key} holds what JSON cannot: ${kindOfValue(value)}`)
  })
}

/** A locator within a part of a document. */
export function within(locate: Locate, ...prefix: readonly PropertyKey[]): Locate {
  return path => locate([...prefix, ...path])
}
