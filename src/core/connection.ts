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

/** Where a secret comes from. Asked at most once per run, and only when the host wants it. */
export type SecretProvider = () => Promise<string | undefined>

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

export type HostKeyChecking = 'strict' | 'accept-new' | 'off'

/** How to connect. Hosts connected with the same options object share bastions, answers to prompts and handshake limits. */
export interface ConnectOptions {
  /** Default: StrictHostKeyChecking of ~/.ssh/config, else strict. */
  readonly hostKeyChecking?: HostKeyChecking | undefined
  /** The login password, where a host names none itself. */
  readonly password?: SecretProvider | undefined
  /** The password for sudo, where a host names none itself. */
  readonly becomePassword?: SecretProvider | undefined
  /** The passphrase of an encrypted private key; asked once per key file. */
  readonly passphrase?: ((keyPath: string) => Promise<string | undefined>) | undefined
  /** `[user@]host[:port][,...]` as ssh's -J; `none` for no jump at all. Default: ProxyJump of ~/.ssh/config. */
  readonly jump?: string | undefined
  /** Milliseconds for reaching a host (TCP and key exchange). Default: ConnectTimeout of ~/.ssh/config, else 15 s. */
  readonly connectTimeoutMs?: number | undefined
  /** Milliseconds for logging in. Default 30 s. */
  readonly authTimeoutMs?: number | undefined
  /** How often reaching a host is tried again after a passing failure. Default 2. */
  readonly retries?: number | undefined
  /** Default ~/.ssh/config, then /etc/ssh/ssh_config; `none` for neither. */
  readonly sshConfigPath?: string | undefined
  /** The home directory that `~` means. Default: the user's. */
  readonly home?: string | undefined
  /** Stops connecting at once: SakError 'interrupted'. */
  readonly signal?: AbortSignal | undefined
  /** Says something that a person should be told. */
  readonly warn?: ((message: string) => void) | undefined
}
