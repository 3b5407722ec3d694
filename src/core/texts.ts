type ChangeText = (text: string, key?: string) => string

/**
 * Changes every string in plain data: in lists and in records, their names too. All else (an Error, a Map) stays as it is, and so does, by
 * identity, what has nothing that changes. `key` is the name under which a string stands.
 */
export function mapTexts<T>(value: T, change: ChangeText): T
export function mapTexts(value: unknown, change: ChangeText): unknown {
  return mapValue(value, change, undefined)
}

function mapValue(value: unknown, change: ChangeText, key: string | undefined): unknown {
  if (typeof value === 'string') return change(value, key)
  if (Array.isArray(value)) {
    const items: unknown[] = value
    const mapped = items.map(item => mapValue(item, change, key))
    return mapped.every((item, index) => Object.is(item, items[index])) ? items : mapped
  }
  if (!isPlain(value)) return value
  const entries = Object.entries(value)
  const mapped = entries.map(([name, item]): [string, unknown] => [change(name), mapValue(item, change, name)])
  const isSame = mapped.every(
    ([name, item], index) => name === entries[index]?.[0] && Object.is(item, entries[index][1]),
  )
  return isSame ? value : Object.fromEntries(mapped)
}

/** Whether a test holds for a string in plain data, of those that `mapTexts` shows. Makes nothing. */
export function someText(value: unknown, test: (text: string) => boolean): boolean {
  if (typeof value === 'string') return test(value)
  if (Array.isArray(value)) return value.some(item => someText(item, test))
  if (!isPlain(value)) return false
  for (const name in value) if (test(name) || someText(value[name], test)) return true
  return false
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
