/**
 * The wire between the client and the hosts, as a process of its own: it delays what goes over it, and counts. Started by
 * `startWire`; on its own it does nothing.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { sshPort } from './hosts.ts'

export const wirePort = 2223

/** What went over the wire since it was last asked. */
const Traffic = z.object({
  connections: z.number(),
  /** Bytes from the client, and from the hosts. */
  sent: z.number(),
  received: z.number(),
  /** How often the client answered what it had waited for, and once for each connection to be set up: round trips. */
  roundTrips: z.number(),
})
export type Traffic = z.infer<typeof Traffic>

export interface Wire {
  /** What has gone over it since this was asked before. */
  traffic(): Promise<Traffic>
  stop(): Promise<void>
}

/** Lays a wire from `wirePort` to the hosts, over which a round trip takes this long. */
export async function startWire(roundTripMs: number): Promise<Wire> {
  const child = fork(fileURLToPath(import.meta.url), [String(roundTripMs)])
  const answer = async () => Traffic.parse((await once(child, 'message'))[0])
  await answer()
  return {
    traffic: async () => {
      child.send('traffic')
      return answer()
    },
    stop: () => stopped(child),
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.disconnect()
  await gone
}

function serve(roundTripMs: number): void {
  let traffic: Traffic
  const reset = () => {
    traffic = { connections: 0, sent: 0, received: 0, roundTrips: 0 }
  }
  reset()
  const server = createServer({ noDelay: true, pauseOnConnect: true }, near => {
    traffic.connections += 1
    traffic.roundTrips += 1
    let waited = false
    // a client knows of its connection one round trip after it asked, and the host half of one later
    setTimeout(() => near.resume(), roundTripMs)
    const far = new Promise<Socket>(resolve => {
      setTimeout(() => resolve(connect({ port: sshPort, host: near.localAddress, noDelay: true })), roundTripMs * 1.5)
    })
    const late = (act: () => void) => setTimeout(act, roundTripMs / 2)
    near.on('error', () => {})
    near.on('data', data => {
      traffic.sent += data.length
      if (waited) traffic.roundTrips += 1
      waited = false
      late(() => void far.then(socket => socket.write(data)))
    })
    near.on('end', () => late(() => void far.then(socket => socket.end())))
    near.on('close', () => late(() => void far.then(socket => socket.destroySoon())))
    void far.then(socket => {
      socket.on('error', () => near.destroy())
      socket.on('data', data => {
        late(() => {
          traffic.received += data.length
          waited = true
          near.write(data)
        })
      })
      socket.on('end', () => late(() => near.end()))
    })
  })
  server.listen(wirePort, '0.0.0.0', () => process.send?.(traffic))
  process.on('message', () => {
    process.send?.(traffic)
    reset()
  })
  process.on('disconnect', () => process.exit())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(Number(process.argv[2]))
