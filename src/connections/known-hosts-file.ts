import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SakError } from '../core/errors.ts'
import { type KnownHost, parseKnownHosts } from './known-hosts.ts'

/** The lines of all these files, in their order; a file that is not there has none. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHost[]> {
  return (await Promise.all(files.map(readOne))).flat()
}

async function readOne(file: string): Promise<KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file)
  } catch (cause) {
    if (isMissing(cause)) return []
    throw new SakError('invalid-config', `cannot read the host keys in ${file}`, { cause })
  }
}

/** Adds a line in one write, after a newline where the file lacks its last one. */
export async function appendKnownHost(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const handle = await open(file, 'a+', 0o600)
  try {
    const { size } = await handle.stat()
    const last = size > 0 ? (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString() : '\n'
    await handle.write(`${last === '\n' ? '' : '\n'}${line}\n`)
  } finally {
    await handle.close()
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')
}
