import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A wire to a real sshd that can be cut or go silent. */
export interface Proxy {
  readonly port: number
  /** Cuts all connections at once, as a reset. */
  cut(): void
  /** Passes nothing more on, in neither direction. */
  stall(): void
  close(): Promise<void>
}

/** `cutAfterSent` cuts a connection after that many bytes from the client. */
export async function startProxy(
  port: number,
  { cutAfterSent = Number.POSITIVE_INFINITY, address: host = '127.0.0.1' } = {},
): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy()
  }
  const listener = createServer(near => {
    const far = connect(port, host)
    const pair = [near, far] as const
    pairs.add(pair)
    let sent = 0
    for (const socket of pair)
      socket.on('error', () => {}).on('close', () => pair.forEach(other => void other.destroy()))
    near.on('data', chunk => {
      sent += chunk.length
      if (sent > cutAfterSent) cut()
    })
    near.pipe(far)
    far.pipe(near)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    stall: () => {
      for (const pair of pairs) for (const socket of pair) socket.unpipe().removeAllListeners('data').pause()
    },
    close: async () => {
      cut()
      await new Promise(resolve => listener.close(resolve))
    },
  }
}
