import { existsSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { Environment } from './state-folder.ts'

/**
 * Where this user's caches are kept; undefined where there is no place that is theirs alone. What lies there is run as code: a folder of
 * somebody else, as `sudo` finds by a HOME that it kept, is not trusted, and nothing is put there.
 */
export function cacheFolder({ XDG_CACHE_HOME: named }: Environment = process.env): string | undefined {
  try {
    const base = named && isAbsolute(named) ? named : join(homedir(), '.cache')
    const folder = join(base, 'sak-reconcile')
    for (const each of [base, folder]) makeWhereOwn(each)
    const found = lstatSync(folder)
    return found.isDirectory() && isOwn(found) ? folder : undefined
  } catch {
    return undefined // a home that is missing, read-only or full: a cache is not worth an error
  }
}

/** Whether it belongs to this user, and nobody else can write it. */
export const isOwn = ({ uid, mode }: { uid: number; mode: number }) => isMine(uid) && (mode & 0o022) === 0

const isMine = (uid: number) => uid === process.getuid?.()

/** Makes a folder that is missing in one that is this user's. */
function makeWhereOwn(folder: string): void {
  if (!existsSync(folder) && isMine(statSync(dirname(folder)).uid)) mkdirSync(folder, { mode: 0o700 })
}
