import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { z } from 'zod'
import { SakError } from '../core/errors.ts'
import { describeIssues } from '../core/issues.ts'

export interface SavedKind {
  /** What the file should be: `plan`. */
  readonly what: string
  /** How such files are made. */
  readonly hint: string
}

/** What an earlier run wrote as JSON, held against its schema; the path `-` is stdin. Throws SakError `usage`. */
export async function savedJson<S extends z.ZodType>(path: string, schema: S, kind: SavedKind): Promise<z.output<S>> {
  const { what, hint } = kind
  const name = path === '-' ? 'stdin' : path
  const found = parseJson(await read(path), name, hint)
  const parsed = schema.safeParse(found)
  if (parsed.success) return parsed.data
  throw new SakError('usage', `${name} is no ${what}: ${describeIssues(parsed.error, schema, found)}`, { hint })
}

async function read(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')
  } catch (cause) {
    throw new SakError('usage', `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

function parseJson(content: string, name: string, hint: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new SakError('usage', `${name} is not JSON`, { cause, hint })
  }
}
