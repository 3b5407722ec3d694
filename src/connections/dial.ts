import { connect, type Socket } from 'node:net'
import { dialFailure, dialTimeout, interrupted } from './failures.ts'
import type { Hop } from './hop.ts'

/** How long an address of a name is tried before the next one, so that a far host with IPv6 and IPv4 is still reached. */
const perAddressMs = 2500

/** A TCP connection to a server, without Nagle's delay. */
export async function dial(hop: Hop, signal: AbortSignal | undefined): Promise<Socket> {
  if (signal?.aborted) throw interrupted()
  return await new Promise((resolve, reject) => {
    const socket = connect({
      host: hop.address,
      port: hop.port,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: perAddressMs,
    })
    const fail = (error: Error) => {
      settle()
      socket.destroy()
      reject(error)
    }
    const onAbort = () => fail(interrupted())
    const timer = setTimeout(() => fail(dialTimeout(hop)), hop.connectTimeoutMs)
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('error', cause => fail(dialFailure(hop, cause)))
    socket.once('connect', () => {
      settle()
      socket.pause() // whatever the server does first, ssh2 is to see it
      resolve(socket)
    })
  })
}
