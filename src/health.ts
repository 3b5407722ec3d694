import { execFile } from 'node:child_process'
import { isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { after } from './core/deadline.ts'
import type { InventoryHost } from './core/inventory.ts'
import type { Health } from './core/rollout.ts'
import { durationMs } from './core/units.ts'

type Probed = Pick<InventoryHost, 'name' | 'address'>

/** Milliseconds between two tries. */
const pauseMs = 1000

/**
 * Tries a health probe for a batch of hosts until it holds or its time is over. Answers why it does not hold, by the host's name;
 * a probe that tells no hosts apart speaks for all of them.
 */
export async function probe(
  hosts: readonly Probed[],
  health: Health,
  stop?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const end = after(durationMs(health.within ?? '30s'))
  const signal = stop ? AbortSignal.any([stop, end]) : end
  const { url, command } = health
  const whys = new Map<string, string>()
  const note = (names: readonly Probed[], why: string | undefined) => {
    if (why !== undefined) for (const { name } of names) whys.set(name, why)
  }
  const urls = new Set(url === undefined ? [] : hosts.map(host => urlOf(url, host)))
  const asked = [...urls].map(async one => {
    const same = hosts.filter(host => url !== undefined && urlOf(url, host) === one)
    note(same, await untilGood(() => askUrl(one, signal), signal))
  })
  await Promise.all(asked)
  if (command) note(hosts, await untilGood(() => runCommand(command, hosts, signal), signal))
  return whys
}

function urlOf(url: string, { name, address }: Probed): string {
  const host = isIPv6(address) ? `[${address}]` : address
  return url.replaceAll('{address}', () => host).replaceAll('{name}', () => encodeURIComponent(name))
}

/** Tries until there is nothing to complain of. What the end of the time cut short says less than the try before it. */
async function untilGood(attempt: () => Promise<string | undefined>, signal: AbortSignal): Promise<string | undefined> {
  let last: string | undefined
  while (true) {
    const why = await attempt()
    if (why === undefined) return undefined
    if (!signal.aborted || last === undefined) last = why
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return last
  }
}

async function askUrl(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal })
    await answer.body?.cancel()
    return answer.ok ? undefined : `${url} answers ${answer.status}`
  } catch (error) {
    if (signal.aborted) return `${url} does not answer`
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return `${url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

function runCommand(
  [program = '', ...args]: readonly string[],
  hosts: readonly Probed[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const env = { ...process.env, SAK_HOSTS: hosts.map(host => host.name).join(' ') }
  return new Promise(resolve => {
    execFile(program, args, { env, signal, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (!error) return resolve(undefined)
      const said = `${stderr}${stdout}`.trim().split('\n').at(-1) ?? ''
      const code =
        typeof error.code === 'number' ? `exit ${error.code}` : signal.aborted ? 'did not end' : error.message
      resolve(`${program}: ${code}${said && `: ${said}`}`)
    })
  })
}
