import { createHash } from 'node:crypto'
import { isUnreadable } from './change.ts'
import { replaceTokens, secretName } from './secret.ts'

/**
 * A digest of plain data that another run makes too: secrets count by their names, what tells nothing (times of files, what may not
 * be read) is left out.
 */
export function digestOf(value: unknown): string {
  const text = JSON.stringify(value, (name, each) => (name === 'stat' || isUnreadable(each) ? undefined : each)) ?? ''
  const named = replaceTokens(text, id => secretName(id))
  return createHash('sha256').update(named).digest('hex').slice(0, 16)
}
