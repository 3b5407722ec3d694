import { randomBytes } from 'node:crypto'
import type { HeldScript, HoldOptions, ScriptOptions, ScriptResult } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { printable } from '../core/terminal.ts'
import { type Become, type Launch, launch, notReady, wrongPassword } from './become.ts'

/** A command that was started, here or on a host. */
export interface Started {
  write(data: string | Buffer): void
  end(): void
  /** Ends it as hard as can be, whether or not it listens. Never throws. */
  kill(): void
  /** Settles once, when no more output can come. */
  readonly done: Promise<{ code: number | null; signal: string | null }>
}

export interface Sinks {
  stdout(chunk: Buffer): void
  stderr(chunk: Buffer): void
}

export type Start = (command: string, sinks: Sinks) => Started

export interface ScriptSettings {
  readonly become: Become | undefined
  /** The password for sudo, if there is one. */
  readonly password: string | undefined
}

const defaultMaxBytes = 64 * 1024 * 1024
const readyWithinMs = 30_000
const headBytes = 64 * 1024

/** Runs a script by a `sh` that reads it from stdin, once that `sh` is known to be the right user's. */
export async function runScript(
  start: Start,
  settings: ScriptSettings,
  script: string,
  options: ScriptOptions,
): Promise<ScriptResult> {
  if (options.signal?.aborted) throw interrupted()
  const run = new Run(settings, script, options)
  return await run.finish(start)
}

/** Starts a script that lives until its stdin ends, and waits until it is ready or has ended. */
export async function holdScript(
  start: Start,
  settings: ScriptSettings,
  script: string,
  { ready, deadlineMs }: HoldOptions,
): Promise<HeldScript> {
  const run = new Run(settings, script, { deadlineMs }, ready)
  const ended = run.finish(start)
  const gone = ended.then(
    () => {},
    () => {},
  )
  await Promise.race([run.isReady, ended])
  const release = async () => {
    run.end()
    await gone
  }
  return { output: run.output(), release }
}

class Run {
  private readonly settings: ScriptSettings
  private readonly script: string
  private readonly options: ScriptOptions
  private readonly launch: Launch
  private readonly stdout: Buffer[] = []
  private readonly stderr: Buffer[] = []
  private readonly bytes = { stdout: 0, stderr: 0 }
  /** stderr until the ready line came. */
  private head = Buffer.alloc(0)
  private ready = false
  private answered = false
  private started: Started | undefined
  private readonly failed: Promise<never>
  private reject: (error: SakError) => void = () => {}
  private readonly timers: NodeJS.Timeout[] = []
  /** Printed by a script that is held, when it holds; its stdin then stays open. */
  private readonly holds: string | undefined
  readonly isReady: Promise<void>
  private nowReady: () => void = () => {}

  constructor(settings: ScriptSettings, script: string, options: ScriptOptions, holds?: string) {
    this.holds = holds
    this.isReady = new Promise(resolve => {
      this.nowReady = resolve
    })
    this.settings = settings
    this.script = script
    this.options = options
    this.failed = new Promise((_, reject) => {
      this.reject = reject
    })
    this.failed.catch(() => {}) // whoever waits for the run hears of it
    this.launch = launch(settings.become, randomBytes(8).toString('hex'), settings.password !== undefined)
  }

  async finish(start: Start): Promise<ScriptResult> {
    const onAbort = () => this.fail(interrupted())
    this.options.signal?.addEventListener('abort', onAbort, { once: true })
    this.arm()
    try {
      const sinks = {
        stdout: (chunk: Buffer) => this.take('stdout', chunk),
        stderr: (chunk: Buffer) => this.onStderr(chunk),
      }
      this.started = start(this.launch.command, sinks)
      if (this.launch.prompt === undefined) this.send()
      const { code, signal } = await Promise.race([this.started.done, this.failed])
      if (!this.ready) throw notReady(this.settings.become, this.said())
      return { code, signal, stdout: Buffer.concat(this.stdout), stderr: Buffer.concat(this.stderr) }
    } finally {
      for (const timer of this.timers) clearTimeout(timer)
      this.options.signal?.removeEventListener('abort', onAbort)
    }
  }

  private arm() {
    const { deadlineMs } = this.options
    this.timers.push(setTimeout(() => this.fail(this.tooLate()), deadlineMs))
    if (this.launch.prompt === undefined) return
    this.timers.push(setTimeout(() => !this.ready && this.fail(this.neverReady()), Math.min(deadlineMs, readyWithinMs)))
  }

  private fail(error: SakError) {
    this.started?.kill()
    this.started?.done.catch(() => {})
    this.reject(error)
  }

  private send() {
    const script = `${this.launch.greeting}${this.script.trimEnd()}`
    // stdin stays open for a script that is held, so that `sh` is told to end when the script does
    this.started?.write(this.holds === undefined ? `${script}\n` : `${script}; exit\n`)
    if (this.holds === undefined) this.end()
  }

  end() {
    this.started?.end()
  }

  output(): Buffer {
    return Buffer.concat(this.stdout)
  }

  private onStderr(chunk: Buffer) {
    if (this.ready) return this.take('stderr', chunk)
    this.head = Buffer.concat([this.head, chunk])
    const at = this.head.indexOf(this.launch.ready)
    if (at < 0) return this.onPrompt()
    this.ready = true
    const rest = this.head.subarray(at + this.launch.ready.length)
    if (this.launch.prompt !== undefined) this.send()
    if (rest.length > 0) this.take('stderr', rest)
  }

  private onPrompt() {
    const at = this.launch.prompt === undefined ? -1 : this.head.indexOf(this.launch.prompt)
    if (at >= 0 && this.answered) return this.fail(wrongPassword(this.settings.become?.user ?? 'root'))
    if (at >= 0) {
      this.answered = true
      this.started?.write(`${this.settings.password}\n`)
      this.head = Buffer.concat([this.head.subarray(0, at), this.head.subarray(at + (this.launch.prompt?.length ?? 0))])
    }
    this.head = this.head.subarray(-headBytes)
  }

  private take(stream: 'stdout' | 'stderr', chunk: Buffer) {
    const limit = this.options.maxBytes ?? defaultMaxBytes
    this.bytes[stream] += chunk.length
    if (this.bytes[stream] <= limit) this[stream].push(chunk)
    if (this.holds !== undefined && this.output().includes(this.holds)) this.onHeld()
    if (this.bytes[stream] > limit)
      this.fail(new SakError('answer-too-large', `the host sent more than ${limit} bytes on ${stream}`))
  }

  private onHeld() {
    for (const timer of this.timers) clearTimeout(timer)
    this.nowReady()
  }

  private tooLate(): SakError {
    const seconds = this.options.deadlineMs / 1000
    return new SakError('timeout', `the host did not finish within ${seconds} s`, {
      said: this.said(),
      hint: 'something on the host hangs or is slow; a longer deadline may be set',
    })
  }

  private neverReady(): SakError {
    return new SakError('become-failed', `sudo neither asked for the password nor let us in`, {
      said: this.said(),
      hint: 'a PAM module with a prompt of its own, or `Defaults !passprompt_override`, stands in the way',
    })
  }

  /** What came instead of, or before, an answer. */
  private said(): string {
    const all = Buffer.concat([this.head, ...this.stderr, ...(this.ready ? [] : this.stdout)]).subarray(0, headBytes)
    const clean = printable(all.toString()).replaceAll(this.launch.ready, '').trim()
    return clean.length > 2000 ? `${clean.slice(0, 2000)}…` : clean
  }
}

function interrupted(): SakError {
  return new SakError('interrupted', 'given up before the host had finished')
}
