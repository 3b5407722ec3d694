import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { SakError } from '../core/errors.ts'

/** Who holds a lock, in words that tell whether it still runs. */
const Holder = z.object({
  what: z.string(),
  pid: z.int(),
  /** When the process began, in the kernel's words: another one with its pid has another. */
  began: z.string(),
  /** The machine, since its last boot, and the namespace that its pids are of. */
  boot: z.string(),
  machine: z.string(),
  /** When it has ended at the latest, for those who cannot see its process. */
  until: z.iso.datetime(),
})
type Holder = z.infer<typeof Holder>

export interface RunLock {
  release(): void
}

export interface RunLockOptions {
  /** What is run, for those who find it locked. */
  readonly what: string
  /** Milliseconds after which the run has ended for sure. */
  readonly longestMs: number
  /** Milliseconds to wait for another run to end. Default 0. */
  readonly waitMs?: number
}

/**
 * Takes the lock of a folder for this process. Each process announces itself in a file of its own, then looks for others that are
 * alive: whoever comes second sees the first, and a file whose process is gone means nothing.
 * @throws SakError `locked`
 */
export async function takeRunLock(folder: string, { what, longestMs, waitMs = 0 }: RunLockOptions): Promise<RunLock> {
  const end = performance.now() + waitMs
  for (let collisions = 0; ; ) {
    const name = `run-${randomBytes(6).toString('hex')}.lock`
    const path = join(folder, name)
    announce(folder, path, { what, ...self(), until: new Date(Date.now() + longestMs).toISOString() })
    const other = othersIn(folder, name)[0]
    if (!other) return { release: () => rmSync(path, { force: true }) }
    rmSync(path, { force: true })
    collisions += 1
    // two that come at once see each other, and both step back: a few tries settle it
    if (collisions > 5 && performance.now() >= end) {
      throw new SakError('locked', `another run is at work here: ${other.what}, process ${other.pid}`, {
        hint: 'it ends by itself; nothing was done',
      })
    }
    await sleep(10 + Math.random() * (collisions > 5 ? 500 : 60))
  }
}

function announce(folder: string, path: string, holder: Holder): void {
  const temporary = join(folder, `.run-${randomBytes(6).toString('hex')}.tmp`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(temporary, JSON.stringify(holder), { flag: 'wx', mode: 0o600 })
    renameSync(temporary, path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('history-unusable', `the history cannot be kept in ${folder}: ${why}`, { cause })
  }
}

/** Those who hold the lock or want it at this moment. Files of processes that are gone are removed. */
function othersIn(folder: string, own: string): Holder[] {
  const names = readdirSync(folder).filter(name => /^run-[0-9a-f]{12}\.lock$/.test(name) && name !== own)
  return names.flatMap(name => {
    const path = join(folder, name)
    const holder = readHolder(path)
    if (holder && isAlive(holder)) return [holder]
    rmSync(path, { force: true })
    return []
  })
}

function readHolder(path: string): Holder | undefined {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch {
    return undefined // it has just ended
  }
}

function isAlive(holder: Holder): boolean {
  const here = self()
  if (holder.machine === here.machine && holder.boot !== here.boot && sameSpace(holder, here)) return false
  if (holder.boot !== here.boot || holder.machine !== here.machine) return Date.now() < Date.parse(holder.until)
  return began(holder.pid) === holder.began
}

const sameSpace = (a: Pick<Holder, 'boot'>, b: Pick<Holder, 'boot'>) => a.boot.split(' ')[1] === b.boot.split(' ')[1]

function self() {
  const boot = `${read('/proc/sys/kernel/random/boot_id')} ${pidSpace()}`
  return { pid: process.pid, began: began(process.pid), boot, machine: read('/etc/machine-id') || hostname() }
}

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/** When a process began; empty where it is not there. Elsewhere than on Linux only whether it is there. */
function began(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  if (stat !== '') return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  try {
    process.kill(pid, 0)
    return 'running'
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
