import { isDeepStrictEqual } from 'node:util'
import { beforeSecret, holdsSecret } from '../core/secret.ts'

/*
 * What a secret was before is a secret too, and nobody told us what it was: where something is to hold a secret and differs, what is there
 * now is shown only as far as it is known to be none.
 */

const notShown = '<not shown>'

/** A file as it is, for the diff to what it should be: of one that is to hold a secret, only lines that stay. */
export function contentWithoutOldSecrets(before: string | null, after: string | null): string | null {
  if (before === null || after === null || before === after || !holdsSecret(after)) return before
  const wanted = after.split('\n')
  const staying = new Set(wanted)
  const beginnings = wanted.filter(holdsSecret).map(beforeSecret)
  return before
    .split('\n')
    .map(line => {
      if (staying.has(line)) return line
      const beginning = beginnings.filter(each => line.startsWith(each)).sort((a, b) => b.length - a.length)[0]
      return `${beginning ?? ''}${notShown}`
    })
    .join('\n')
}

/** The same for other values: texts that are to hold a secret, or stand beside one and are to go. */
export function withoutOldSecrets(before: unknown, after: unknown): unknown {
  if (isDeepStrictEqual(before, after) || !holdsSecret(after)) return before
  if (isRecord(before) && isRecord(after)) {
    return Object.fromEntries(
      Object.entries(before).map(([key, value]) => {
        return [key, key in after ? withoutOldSecrets(value, after[key]) : withoutTexts(value)]
      }),
    )
  }
  return withoutTexts(before)
}

function withoutTexts(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : notShown
  if (Array.isArray(value)) return value.map(withoutTexts)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutTexts(item)]))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
