import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, rename, rm, writeFile } from 'node:fs/promises'
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

/** Finds out before a run whether a file can be written after it. Throws SakError `usage`. */
export async function refuseUnwritable(path: string, option: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK)
  } catch (cause) {
    throw unwritable(path, option, cause)
  }
}

/** Opens a file before a run for what is to be written after it. Throws SakError `usage`. */
export async function openOutput(path: string, option: string) {
  try {
    return await open(path, 'w')
  } catch (cause) {
    throw unwritable(path, option, cause)
  }
}

function unwritable(path: string, option: string, cause: unknown): SakError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SakError('usage', `${option}: ${path} cannot be written: ${why}`, { cause, hint: 'nothing was done yet' })
}
