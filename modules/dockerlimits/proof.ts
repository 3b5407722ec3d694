/** That an edit changed what it was to change, and nothing else of what a compose file says. */
import { isDeepStrictEqual } from 'node:util'
import type { ComposeDocument } from './document.ts'
import { type Path, pathsOf, type Ruled } from './forms.ts'

/** Whether two files say the same but for values that are ruled (and extensions, `x-`, which say nothing by themselves). */
export function sameElse(before: ComposeDocument, after: ComposeDocument, ruled: readonly Ruled[]): boolean {
  return isDeepStrictEqual(rest(before.data, ruled), rest(after.data, ruled))
}

type Plain = Record<string, unknown>
const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)

function rest(data: unknown, ruled: readonly Ruled[]): unknown {
  // a copy in which nothing is shared: what an alias stands for is a value of its own
  const copy: unknown = JSON.parse(JSON.stringify(data ?? null))
  if (!isPlain(copy)) return copy
  for (const key of Object.keys(copy)) if (key.startsWith('x-')) delete copy[key]
  for (const { service, name } of ruled) for (const path of pathsOf(name)) take(copy, ['services', service, ...path])
  return copy
}

/** Takes out a value, and the maps that hold nothing else. */
function take(from: Plain, [key, ...rest]: Path): void {
  const [next, ...others] = rest
  const inner = from[key]
  if (next === undefined) delete from[key]
  else if (isPlain(inner)) take(inner, [next, ...others])
  const isLeft = from[key]
  const isHollow = isLeft === null || (isPlain(isLeft) && Object.keys(isLeft).length === 0)
  if (key !== 'services' && isHollow) delete from[key]
}
