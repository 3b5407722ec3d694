/** Where a secret comes from. Asked at most once per run, and only when the host wants it. */
export type SecretProvider = () => Promise<string | undefined>

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
