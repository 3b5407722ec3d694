import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import pLimit from 'p-limit'
import { SakError } from '../../core/errors.ts'
import type { Declaration } from '../../core/inventory/declarations.ts'
import { printable } from '../../core/terminal.ts'
import { readDynamicInventory, readHostVars } from './ansible-dynamic.ts'

/** Limits for an inventory program. */
export interface ProgramLimits {
  /** Milliseconds for each call. Default 60 s. */
  readonly timeoutMs?: number
  /** Most bytes that a call may print. Default 64 MiB. */
  readonly maxBytes?: number
}

interface Call extends Required<ProgramLimits> {
  readonly path: string
  readonly name: string
  readonly cwd: string
}

/**
 * What a program that prints Ansible's dynamic JSON declares. It is called with `--list`, and, when that prints no `_meta.hostvars`,
 * once more for each host with `--host NAME`. Throws SakError 'invalid-inventory' when it fails, hangs, or prints something else.
 */
export async function runInventoryProgram(
  path: string,
  { name, cwd, timeoutMs = 60_000, maxBytes = 64 * 1024 * 1024 }: { name: string; cwd: string } & ProgramLimits,
): Promise<Declaration[]> {
  const call: Call = { path, name, cwd, timeoutMs, maxBytes }
  const { declarations, hosts, hasHostVars } = readDynamicInventory(await runForJson(call, ['--list']), name)
  if (hasHostVars) return [...declarations]
  const limit = pLimit(8)
  const asked = hosts.map(host =>
    limit(async () => readHostVars(host, await runForJson(call, ['--host', host]), locate(name, host))),
  )
  try {
    return [...declarations, ...(await Promise.all(asked)).flat()]
  } finally {
    limit.clearQueue()
  }
}

const locate = (name: string, host: string) => (path: readonly PropertyKey[]) =>
  `${name} --host ${[host, ...path.map(String)].join('.')}`

async function runForJson(call: Call, args: readonly string[]): Promise<unknown> {
  const shown = [call.name, ...args].join(' ')
  const text = await runProgram(call, args, shown)
  if (text.trim() === '' && args[0] === '--host') return {}
  try {
    const data: unknown = JSON.parse(text)
    return data
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('invalid-inventory', `${shown} did not print JSON: ${printable(why)}`, {
      hint: "An executable inventory prints Ansible's dynamic JSON; take the executable bit away from a data file.",
      cause,
    })
  }
}

async function runProgram({ path, cwd, timeoutMs, maxBytes }: Call, args: readonly string[], shown: string) {
  const options = { cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: maxBytes, encoding: 'utf8' } as const
  try {
    const running = promisify(execFile)(path, [...args], options)
    running.child.stdin?.end()
    return (await running).stdout
  } catch (cause) {
    throw failure(shown, cause, timeoutMs, maxBytes)
  }
}

function failure(shown: string, cause: unknown, timeoutMs: number, maxBytes: number): SakError {
  const { code, killed, signal, stderr }: { code?: unknown; killed?: unknown; signal?: unknown; stderr?: unknown } =
    typeof cause === 'object' && cause !== null ? cause : {}
  const errors = typeof stderr === 'string' ? printable(stderr).trim().slice(-2000) : ''
  const details = { cause, ...(errors === '' ? {} : { said: errors }) }
  const wrong = (what: string, hint: string) =>
    new SakError('invalid-inventory', `${shown} ${what}${errors === '' ? '' : `: ${errors}`}`, { ...details, hint })
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return wrong(`printed more than ${maxBytes} bytes`, 'Let it print only the hosts that are meant.')
  }
  if (killed === true)
    return wrong(`did not end within ${timeoutMs / 1000} s`, 'Make it faster, or let it print a cache.')
  if (typeof code === 'number') return wrong(`ended with exit code ${code}`, 'Run it by hand to see why.')
  if (typeof signal === 'string') return wrong(`was ended by ${signal}`, 'Run it by hand to see why.')
  const why = cause instanceof Error ? cause.message : String(cause)
  return wrong(`could not be started (${why})`, 'See that its first line (#!) names an interpreter that is installed.')
}
