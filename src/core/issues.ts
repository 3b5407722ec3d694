import { z } from 'zod'
import { didYouMean } from './nearest.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

interface Parsed {
  readonly schema: z.ZodType
  readonly given: unknown
}

/**
 * Zod's issues with what was given on one line each: the path of the field, what is wrong with it, and the name that was perhaps
 * meant.
 */
export function describeIssues(error: z.ZodError, schema: z.ZodType, given: unknown): string {
  return error.issues.flatMap(issue => describe(issue, [], { schema, given })).join('\n')
}

function describe(issue: Issue, above: Path, parsed: Parsed): string[] {
  const path = [...above, ...issue.path]
  const field = z.core.toDotPath(path)
  if (isMissing(issue, valueAt(parsed.given, path))) {
    return [path.length > 0 ? `${field} is missing: ${expected(issue)}` : `nothing is given: ${expected(issue)}`]
  }
  if (issue.code === 'invalid_union') {
    const close = issue.errors.filter(
      branch => !branch.some(({ path, code }) => path.length === 0 && code !== unknownKeys),
    )
    if (close.length === 1) return (close[0] ?? []).flatMap(inner => describe(inner, path, parsed))
  }
  const text = message(issue, path, parsed.schema)
  return [path.length > 0 ? `${field}: ${text}` : text]
}

const unknownKeys = 'unrecognized_keys'

/** What an author left out; a check of the schema's own that names a field says itself what it wants. */
const isMissing = ({ code }: Issue, value: unknown) => value === undefined && code.startsWith('invalid_')

function message(issue: Issue, path: Path, schema: z.ZodType): string {
  switch (issue.code) {
    // zod says of a record's key only that it is invalid; why is one level below
    case 'invalid_key':
      return issue.issues.map(why => why.message).join(', ')
    case 'invalid_union':
      return expected(issue)
    case unknownKeys: {
      const known = keysAt(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), path)
      const meant = issue.keys.flatMap(key => didYouMean(key, known) ?? [])
      return [issue.message, ...(known.length > 0 && meant.length === 0 ? [`known: ${known.join(', ')}`] : meant)].join(
        '. ',
      )
    }
    default:
      return inWords(issue.message)
  }
}

/** What is wanted: `expected string`, say. Of a union that has no words of its own what each branch wants. */
function expected(issue: Issue): string {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') {
    return inWords(issue.message).replace(/, received \w+$/, '')
  }
  const branches = new Set(issue.errors.flatMap(([first]) => (first ? [expected(first)] : [])))
  return [...branches].join(', or ')
}

/** Zod's own words for a value of a wrong type, without what every message begins with. */
export const inWords = (text: string) =>
  text.replace(/^Invalid (?:input|option): /, '').replace('expected record', 'expected object')

const valueAt = (given: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    given,
  )

/** The names that an object of a JSON Schema may have, at a path. */
function keysAt(schema: unknown, [first, ...rest]: Path): string[] {
  if (!isRecord(schema)) return []
  const branches = [schema.anyOf, schema.oneOf, schema.allOf].flatMap(list => (Array.isArray(list) ? list : []))
  const ofBranches = branches.flatMap(branch => keysAt(branch, first === undefined ? [] : [first, ...rest]))
  const properties = isRecord(schema.properties) ? schema.properties : {}
  if (first === undefined) return [...Object.keys(properties), ...ofBranches]
  const inner = typeof first === 'number' ? schema.items : (properties[String(first)] ?? schema.additionalProperties)
  return [...keysAt(inner, rest), ...ofBranches]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
