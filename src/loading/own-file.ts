import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { SakError } from '../core/errors.ts'

/** Writes a file that only its owner may read, whatever was there before: whole, or not at all. */
export async function writeOwnFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The hint of a mistake that is found before a run. */
export const nothingDone = 'nothing was done yet'

/** Finds out before a run whether a file can be written after it. Throws SakError `usage`. */
export async function refuseUnwritable(path: string, option: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK)
  } catch (cause) {
    throw unwritable(path, option, cause, nothingDone)
  }
}

/** Says that a file that an option names cannot be written. */
export function unwritable(path: string, option: string, cause: unknown, hint?: string): SakError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SakError('usage', `${option}: ${path} cannot be written: ${why}`, { cause, ...(hint && { hint }) })
}
