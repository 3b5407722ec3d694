import type { SecretProvider } from './connect-options.ts'

/** What one run of a script gave. `code` is null only together with a `signal`; a lost connection is an error, never a result. */
export interface ScriptResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: Buffer
  readonly stderr: Buffer
}

export interface ScriptOptions {
  /** Milliseconds until the script is given up: SakError 'timeout'. */
  readonly deadlineMs: number
  /** Most bytes of stdout (default 64 MiB): SakError 'answer-too-large'. */
  readonly maxBytes?: number
  /** Gives the script up at once: SakError 'interrupted'. */
  readonly signal?: AbortSignal
}

export interface HoldOptions {
  /** What the script prints once it holds what it is to hold. */
  readonly ready: string
  /** Milliseconds until it must have printed that, or have ended: SakError 'timeout'. */
  readonly deadlineMs: number
}

/** A script that goes on until its standard input ends: when it is released, or when we or the connection are gone. */
export interface HeldScript {
  /** What it had printed when it was ready, or when it ended without being so. */
  readonly output: Buffer
  /** Ends its standard input and waits for its end. Never throws. */
  release(): Promise<void>
}

/** One host, reached. Runs whole scripts by POSIX `sh`, as root where the host says `become`, else as the login user. */
export interface Connection {
  run(script: string, options: ScriptOptions): Promise<ScriptResult>
  hold(script: string, options: HoldOptions): Promise<HeldScript>
  close(): Promise<void>
}

/** Whom to reach and how. An inventory's host is one. What is undefined is left to ~/.ssh/config, then to ssh's own defaults. */
export interface Target {
  readonly name: string
  readonly address: string
  readonly port?: number | undefined
  readonly user?: string | undefined
  readonly privateKeyPath?: string | undefined
  readonly connection: 'ssh' | 'local'
  readonly become: boolean
  /** Default root. */
  readonly becomeUser?: string | undefined
  readonly becomePassword?: string | SecretProvider | undefined
  readonly password?: string | SecretProvider | undefined
}
