import { z } from 'zod'
import { didYouMean } from './nearest.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** Zod's issues on one line each: the path of the field, what is wrong with it, and the name that was perhaps meant. */
export function describeIssues(error: z.ZodError, schema: z.ZodType): string {
  return error.issues.flatMap(issue => describe(issue, [], schema)).join('\n')
}

function describe(issue: Issue, above: Path, schema: z.ZodType): string[] {
  const path = [...above, ...issue.path]
  if (issue.code === 'invalid_union') {
    const close = issue.errors.filter(
      branch => !branch.some(({ path, code }) => path.length === 0 && code !== unknownKeys),
    )
    if (close.length === 1) return (close[0] ?? []).flatMap(inner => describe(inner, path, schema))
  }
  const text = message(issue, path, schema)
  return [path.length > 0 ? `${z.core.toDotPath(path)}: ${text}` : text]
}

const unknownKeys = 'unrecognized_keys'

function message(issue: Issue, path: Path, schema: z.ZodType): string {
  switch (issue.code) {
    // zod says of a record's key only that it is invalid; why is one level below
    case 'invalid_key':
      return issue.issues.map(why => why.message).join(', ')
    case 'invalid_union':
      return `${issue.message}: ${[...new Set(issue.errors.map(expected))].join(', or ')}`
    case unknownKeys: {
      const known = keysAt(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), path)
      const meant = issue.keys.flatMap(key => didYouMean(key, known) ?? [])
      return [issue.message, ...(known.length > 0 && meant.length === 0 ? [`known: ${known.join(', ')}`] : meant)].join(
        '. ',
      )
    }
    default:
      return issue.message
  }
}

/** What one branch of a union wants: `string`, say. */
const expected = ([first]: readonly Issue[]) => first?.message.replace(/^Invalid input: |, received \w+$/g, '') ?? ''

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
