import type { Duplex } from 'node:stream'
import type { NodeSSH } from 'node-ssh'
import type { Client } from 'ssh2'
import { isSakError, type SakError } from '../core/errors.ts'
import { traced } from '../core/trace.ts'
import type { Login } from './auth.ts'
import {
  connectionLost,
  handshakeFailure,
  handshakeTimeout,
  interrupted,
  loginBroken,
  loginTimeout,
} from './failures.ts'
import type { Hop } from './hop.ts'
import type { HostKeys } from './host-key.ts'
import { takeNoRequests } from './ssh-internals.ts'

/** A server that has let us in. */
export interface Session {
  readonly hop: Hop
  readonly ssh: NodeSSH
  /** The error that a lost connection is reported by. */
  lost(): SakError
  /** Settles when the connection is gone, by whatever cause. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

export interface Entry {
  readonly hop: Hop
  readonly hostKeys: HostKeys
  readonly login: Login
  readonly signal: AbortSignal | undefined
}

const closesWithinMs = 500
let library: Promise<typeof import('node-ssh')> | undefined

/** Key exchange and login over a connection that stands. The connection is closed where that fails. */
export async function enter(socket: Duplex, entry: Entry): Promise<Session> {
  library ??= import('node-ssh') // takes 40 to 110 ms: only where a host needs it
  const { NodeSSH } = await library
  const attempt = new Attempt(socket, entry, new NodeSSH())
  return await attempt.session()
}

class Attempt {
  private readonly socket: Duplex
  private readonly entry: Entry
  private readonly ssh: NodeSSH
  private phase: 'handshake' | 'login' | 'open' = 'handshake'
  /** The first bytes of the server: its banner, or what it said instead. */
  private greeting = ''
  private lastError: unknown
  private timer: NodeJS.Timeout | undefined
  private readonly failed: Promise<never>
  private fail: (error: SakError) => void = () => {}
  private readonly exchanged: Promise<void>
  private keysAreExchanged = () => {}

  constructor(socket: Duplex, entry: Entry, ssh: NodeSSH) {
    this.socket = socket
    this.entry = entry
    this.ssh = ssh
    this.failed = new Promise((_, reject) => {
      this.fail = reject
    })
    this.failed.catch(() => {}) // whoever waits for the session hears of it
    this.exchanged = new Promise(resolve => {
      this.keysAreExchanged = resolve
    })
  }

  async session(): Promise<Session> {
    const { hop, signal } = this.entry
    const onAbort = () => this.fail(interrupted())
    signal?.addEventListener('abort', onAbort, { once: true })
    this.timer = setTimeout(() => this.fail(handshakeTimeout(hop, this.greeting)), hop.connectTimeoutMs)
    try {
      if (signal?.aborted) throw interrupted()
      const connected = Promise.race([this.connect(), this.failed])
      await traced('key exchange', hop.name, () => Promise.race([this.exchanged, connected]))
      const client = await traced('log in', hop.name, () => connected)
      this.phase = 'open'
      return this.opened(client)
    } catch (error) {
      this.socket.destroy()
      throw isSakError(error) ? error : this.failure(error)
    } finally {
      clearTimeout(this.timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  private async connect(): Promise<Client> {
    const { hop, hostKeys, login } = this.entry
    const connecting = this.ssh.connect({
      sock: this.socket,
      username: hop.user,
      readyTimeout: 0, // the deadlines are ours
      keepaliveInterval: hop.keepaliveMs,
      keepaliveCountMax: hop.keepaliveCount,
      algorithms: { serverHostKey: hostKeys.algorithms },
      hostVerifier: (key: Buffer, verify: (trusted: boolean) => void) => this.verify(key, verify),
      authHandler: login.handler,
    })
    const client = this.ssh.connection
    if (client !== null) this.listen(client)
    await connecting
    if (client === null) throw new Error('the connection is gone')
    return client
  }

  /** node-ssh's own error listener leaves once connected, and takes an agent that fails for the end. Ours stays for good. */
  private listen(client: Client) {
    client.removeAllListeners('error')
    client.setMaxListeners(0)
    takeNoRequests(client)
    client.on('error', error => {
      if (this.phase !== 'open' && error.level === 'agent') return
      this.lastError = error
      if (this.phase !== 'open') this.fail(this.failure(error))
    })
    client.once('handshake', () => this.onHandshake())
    const greet = (chunk: Buffer) => {
      this.greeting += chunk.toString('latin1', 0, 512)
      if (this.greeting.length >= 512 || this.phase !== 'handshake') this.socket.off('data', greet)
    }
    this.socket.on('data', greet) // ssh2 has paused it: nothing flows until ssh2 reads, too
  }

  private onHandshake() {
    if (this.phase !== 'handshake') return
    this.phase = 'login'
    this.keysAreExchanged()
    const { hop, login } = this.entry
    const expire = () => {
      // nobody is hurried who types a passphrase
      if (login.waiting.count > 0) this.timer = setTimeout(expire, hop.authTimeoutMs)
      else this.fail(loginTimeout(hop))
    }
    clearTimeout(this.timer)
    this.timer = setTimeout(expire, hop.authTimeoutMs)
  }

  private verify(key: Buffer, verify: (trusted: boolean) => void) {
    this.entry.hostKeys.check(key).then(
      () => verify(true),
      error => {
        this.fail(isSakError(error) ? error : this.failure(error))
        verify(false)
      },
    )
  }

  private failure(cause: unknown): SakError {
    const { hop, login } = this.entry
    if (this.phase === 'handshake') return handshakeFailure(hop, this.lastError ?? cause, this.greeting)
    if (isRefusal(cause)) return login.refused()
    const text = cause instanceof Error ? cause.message : ''
    return /too many authentication/i.test(text) ? login.refused(text) : loginBroken(hop, cause)
  }

  private opened(client: Client): Session {
    const { hop } = this.entry
    const closed = new Promise<void>(resolve => client.once('close', () => resolve()))
    return {
      hop,
      ssh: this.ssh,
      closed,
      lost: () => connectionLost(hop.name, this.lastError),
      close: async () => {
        this.ssh.dispose()
        const timer = setTimeout(() => this.socket.destroy(), closesWithinMs)
        await closed
        clearTimeout(timer)
      },
    }
  }
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof Error && 'level' in cause && cause.level === 'client-authentication'
}
