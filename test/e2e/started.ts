/**
 * Every program that a host starts, however short it lives: a library that is preloaded into it tells with what arguments and what
 * environment. Who looks at /proc instead misses most of them, and sees one whose name is not there yet where it has just been started.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestHost } from './harness.ts'

/** A program as it was started. */
export interface Started {
  readonly argv: readonly string[]
  readonly environment: readonly string[]
}

const source = fileURLToPath(new URL('started.c', import.meta.url))
const library = '/usr/local/lib/sak-started.so'
const told = '/run/sak-started'

/** What a host starts while something is done. What it had started before is not in it, nor what is linked statically. */
export async function startedBy(host: TestHost, act: () => Promise<void>): Promise<readonly Started[]> {
  const asRoot = { root: true }
  await host.exec(
    `base64 -d >${library} && touch ${told} && chmod 666 ${told} && echo ${library} >/etc/ld.so.preload`,
    {
      ...asRoot,
      stdin: compiled(host.directory).toString('base64'),
    },
  )
  try {
    await act()
  } finally {
    await host.exec('rm /etc/ld.so.preload', asRoot)
  }
  const records = await host.output(`cat ${told} && rm ${told} ${library}`, asRoot)
  return records.split('\x1e').slice(0, -1).map(startedOf)
}

function compiled(directory: string): Buffer {
  const path = join(directory, 'sak-started.so')
  execFileSync('gcc', ['-shared', '-fPIC', '-nostdlib', '-o', path, source])
  return readFileSync(path)
}

function startedOf(record: string): Started {
  const [argv = '', environment = ''] = record.split('\x1f')
  const words = (text: string) => text.split('\0').slice(0, -1)
  return { argv: words(argv), environment: words(environment) }
}
