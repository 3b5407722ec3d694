import { z } from 'zod'
import { authorPlace } from './author-place.ts'
import { SakError } from './errors.ts'
import { describeIssues } from './issues.ts'
import { isSecret } from './secret.ts'
import type { Vars } from './when.ts'

/** The params of a playbook. Throws SakError `invalid-params`. */
export function parsePlaybookParams<S extends z.ZodType>(name: string, schema: S, params: unknown): z.output<S> {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  throw new SakError('invalid-params', told(name, schema, parsed.error, params))
}

/** What is given must be right at once; what is not may still come from a host's variables or the command line. */
export function checkGiven(name: string, schema: z.ZodObject, given: Vars): void {
  const { error } = schema.safeParse(given)
  const isGiven = (path: readonly PropertyKey[]) =>
    path.reduce<unknown>((value, key) => (isRecord(value) ? value[String(key)] : value), given) !== undefined
  const wrong = error?.issues.filter(({ path }) => isGiven(path))
  if (!wrong || wrong.length === 0) return
  const place = authorPlace()
  throw new SakError('invalid-params', told(name, schema, new z.ZodError(wrong), given), {
    ...(place !== undefined && { hint: `look at ${place}` }),
  })
}

const told = (name: string, schema: z.ZodType, error: z.ZodError, given: unknown) =>
  `playbook ${name}: ${describeIssues(error, schema, given)}`

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)

export const asVars = (value: unknown): Vars => (isRecord(value) ? value : {})
export const pick = (vars: Vars, names: readonly string[]): Vars =>
  Object.fromEntries(Object.entries(vars).filter(([name]) => names.includes(name)))

/** Objects are merged deeply; anything else, lists too, is replaced. */
export function mergeVars(base: Vars, over: Vars): Vars {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    if (value !== undefined) merged[key] = isRecord(before) && isRecord(value) ? mergeVars(before, value) : value
  }
  return merged
}
