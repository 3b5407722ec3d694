import { randomBytes } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { nothingDone, unwritable } from './own-file.ts'

/** A file in the making. */
export interface OutputFile {
  write(text: string): void
  /** Once all is written. Throws SakError `usage` where the file could not be. */
  close(): Promise<void>
}

export interface OutputOptions {
  /** Each text goes to the file at once; else the file is replaced as a whole at the end, and nobody ever reads half of it. */
  readonly live: boolean
  /** Permissions of the file. Default: those that it has, or what the umask leaves of 0666. */
  readonly mode?: number
}

/**
 * Gets ready to write a file, and finds out before a run whether that can be. What is no regular file (a pipe, /dev/stdout) is written
 * to as it is, and so is a file in a directory where no other can be made.
 * @throws SakError `usage`
 */
export function openOutput(path: string, option: string, { live, mode }: OutputOptions): OutputFile {
  const existing = tried(path, option, () => statSync(path, { throwIfNoEntry: false }))
  if (!live && mayReplace(path, existing)) {
    return replaced(existing ? realpathSync(path) : path, option, mode ?? existing?.mode)
  }
  return written(
    tried(path, option, () => openSync(path, 'w', mode)),
    path,
    option,
  )
}

/** What a file holds; nothing where there is none that can be read. */
export function textOf(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : ''
  } catch {
    return ''
  }
}

function mayReplace(path: string, existing: Stats | undefined): boolean {
  if (existing && !existing.isFile()) return false
  try {
    // with a slash it must be a directory: what a path through a file is, statSync tells as nothing from Node 22 on
    accessSync(`${dirname(existing ? realpathSync(path) : path)}/`, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function replaced(path: string, option: string, mode: number | undefined): OutputFile {
  const parts: string[] = []
  return {
    write: text => void parts.push(text),
    close: async () => {
      try {
        await replaceFile(path, parts.join(''), mode)
      } catch (cause) {
        throw unwritable(path, option, cause)
      }
    },
  }
}

/** In a directory that is read by name (`*.prom`, `*.html`) nothing takes the temporary file for one of its own. */
async function replaceFile(path: string, text: string, mode: number | undefined): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(text)
      if (mode !== undefined) await file.chmod(mode & 0o777)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** A disk that is full breaks no run: it is told at the end. */
function written(descriptor: number, path: string, option: string): OutputFile {
  let failure: unknown
  return {
    write: text => {
      if (failure !== undefined) return
      try {
        const bytes = Buffer.from(text)
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
      } catch (error) {
        failure = error
      }
    },
    close: async () => {
      closeSync(descriptor)
      if (failure !== undefined) throw unwritable(path, option, failure)
    },
  }
}

function tried<T>(path: string, option: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw unwritable(path, option, cause, nothingDone)
  }
}
