import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Commit, State } from './state.ts'

/** The version of the format; a higher one is not read. */
export const formatVersion = 1

const Line = z.discriminatedUnion('kind', [
  /** The first line of a file: all that came before it. */
  z.object({ format: z.literal(formatVersion), kind: z.literal('checkpoint'), at: z.iso.datetime(), state: State }),
  z.object({ format: z.literal(formatVersion), kind: z.literal('commit'), commit: Commit }),
])
export type Line = z.infer<typeof Line>

const AnyVersion = z.looseObject({ format: z.int() })

/** A line of a history, with a checksum over all that stands after it. */
export function encodeLine(line: Line): string {
  const rest = JSON.stringify(line).slice(1)
  return `{"sum":"${checksum(rest)}",${rest}\n`
}

/** Reads a line. Answers `'newer'` for one of a later version, `'broken'` for one that was not written so. */
export function decodeLine(text: string): Line | 'newer' | 'broken' {
  const [, sum, rest = ''] = /^\{"sum":"([0-9a-f]{16})",(.*)$/s.exec(text) ?? []
  const value = parseJson(text)
  const { format = 0 } = AnyVersion.safeParse(value).data ?? {}
  if (format > formatVersion) return 'newer'
  if (sum !== checksum(rest)) return 'broken'
  return Line.safeParse(value).data ?? 'broken'
}

const checksum = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
