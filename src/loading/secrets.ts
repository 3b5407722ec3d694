import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { SakError } from '../core/errors.ts'
import { type SecretSource, secretName, sourceOf } from '../core/secret.ts'
import { isTooCommon } from '../core/secret-forms.ts'
import { printable } from '../core/terminal.ts'
import { durationMs } from '../core/units.ts'
import { openVault, type Vault } from '../core/vault.ts'

/** Most bytes of a secret. */
const longest = 64 * 1024

/**
 * Asks for the values of secrets, each once, all at the same time.
 * @throws SakError `secret-unavailable`, which names every secret that cannot be had, and never a value
 */
export async function openSecrets(ids: Iterable<number>, signal?: AbortSignal): Promise<Vault> {
  const asked = await Promise.all(
    [...new Set(ids)].map(async id => {
      try {
        return { id, value: usable(await askFor(sourceOf(id), signal)) }
      } catch (cause) {
        return { id, why: cause instanceof Error ? cause.message : String(cause) }
      }
    }),
  )
  const missing = asked.flatMap(({ id, why }) => (why === undefined ? [] : [`the secret ${secretName(id)}: ${why}`]))
  if (missing.length > 0) {
    throw new SakError('secret-unavailable', missing.join('\n'), { hint: 'no host was touched' })
  }
  return openVault(new Map(asked.flatMap(({ id, value }) => (value === undefined ? [] : [[id, value]]))))
}

async function askFor(source: SecretSource | undefined, signal: AbortSignal | undefined): Promise<string> {
  switch (source?.kind) {
    case 'env': {
      const value = process.env[source.name]
      if (value === undefined) throw new Error(`the environment variable ${source.name} is not set`)
      return value
    }
    case 'file':
      return withoutEnd(text(await readSecretFile(source.path)))
    case 'command':
      return withoutEnd(text(await run(source, signal)))
    default:
      throw new Error('it is not known in this process')
  }
}

async function readSecretFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Error(`cannot be read (${codeOf(cause)})`, { cause })
  }
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error)

/** What a program prints. Of what it says when it fails only what it had not printed as the secret is told. */
function run(
  { argv: [program = '', ...args], timeout }: Extract<SecretSource, { kind: 'command' }>,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: 'buffer',
      timeout: durationMs(timeout),
      killSignal: 'SIGKILL',
      maxBuffer: longest,
    } as const
    const child = execFile(program, args, { ...options, ...(signal && { signal }) }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const why =
        typeof error.code === 'number'
          ? `exit ${error.code}`
          : error.killed
            ? `did not end within ${timeout}`
            : codeOf(error)
      const said = printable(lastLine(stderr, stdout))
      reject(new Error(`${why}${said && `: ${said}`}`))
    })
    child.stdin?.on('error', () => {}) // a program that reads nothing is no fault
    child.stdin?.end()
  })
}

function lastLine(stderr: Buffer, stdout: Buffer): string {
  const printed = stdout
    .toString()
    .split('\n')
    .filter(line => line.trim() !== '')
  const last = stderr.toString().trim().split('\n').at(-1)?.slice(0, 300) ?? ''
  return printed.some(line => last.includes(line.trim())) ? '' : last
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function text(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new Error('is not UTF-8 text', { cause })
  }
}

const withoutEnd = (value: string): string => value.replace(/[\r\n]+$/, '')

/** A value that can be written anywhere and be known again wherever it is said. */
function usable(value: string): string {
  if (value === '') throw new Error('is empty')
  if (value.includes('\0')) throw new Error('has a NUL character')
  if (Buffer.byteLength(value) > longest) throw new Error(`is longer than ${longest / 1024} KiB`)
  if (isTooCommon(value)) {
    throw new Error(
      'is too easily guessed and stands in other places by chance: take 8 characters or more, no single word or number',
    )
  }
  return value
}
