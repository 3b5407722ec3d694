import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { isOwn } from '../loading/cache-folder.ts'

/** What V8 has made of a script. */
export interface Code {
  readonly data: Buffer
  /** How much of it there was to run when it was kept; a run that has needed more keeps it anew. 0 where that is not known. */
  readonly size: number
}

/** Names what a script's compiled code depends on. V8 looks too, but it takes a source of the same length for the same. */
export function codeKey(source: Buffer): string {
  const { version, versions, arch, platform, execArgv, env } = process
  const about = [version, versions.v8, arch, platform, ...execArgv, env.NODE_OPTIONS ?? '']
  return createHash('sha256').update(source).update(JSON.stringify(about)).digest('hex')
}

const prefix = 'compiled-'
const pathOf = (folder: string, key: string) => join(folder, `${prefix}${key.slice(0, 32)}`)

/** The code that is kept for a key; undefined where there is none that is whole and this user's own. */
export function readCode(folder: string, key: string): Code | undefined {
  try {
    const content = readOwnFile(pathOf(folder, key))
    const [digest, size, data] = [content.subarray(0, 32), content.subarray(32, 40), content.subarray(40)]
    // V8 itself may crash over data that is not what it wrote
    return digest.equals(digestOf(key, size, data)) ? { size: Number(size.readBigUInt64LE()), data } : undefined
  } catch {
    return undefined
  }
}

function readOwnFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const found = fstatSync(file)
    if (!found.isFile() || !isOwn(found)) throw new Error(`${path} is not this user's own file`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** Keeps code, whole or not at all, and takes away what is older than the few that are worth their place. */
export function keepCode(folder: string, key: string, { data, size: number }: Code): void {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(number))
  const path = pathOf(folder, key)
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  const isThere = succeeds(() => {
    writeFileSync(temporary, Buffer.concat([digestOf(key, size, data), size, data]), { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  })
  succeeds(() => {
    const others = isThere ? newestFirst(folder).slice(most) : [temporary]
    for (const path of others) rmSync(path, { force: true })
  })
}

/** Nothing depends on what is kept: on a full disk the next run compiles once more. */
function succeeds(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

// some versions of Node, and of this package, in turn; each has about 1.5 MB
const most = 4

const digestOf = (key: string, size: Buffer, data: Buffer) =>
  createHash('sha256').update(key).update(size).update(data).digest()

const newestFirst = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter(name => name.startsWith(prefix))
    .map(name => join(folder, name))
    .map(path => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((one, other) => other.at - one.at)
    .map(({ path }) => path)
