import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type AuthContext, type Connection as Client, type ServerChannel, type Session } from 'ssh2'
import type { ConnectOptions } from '../../src/core/connect-options.ts'
import type { Target } from '../../src/core/connection.ts'

/** One login to a server that misbehaves. */
export interface Visit {
  readonly socket: Socket
  readonly client: Client
}

/** A running script: `ready` says that our `sh` has it, as the real one would. */
export interface FakeScript extends Visit {
  readonly channel: ServerChannel
  readonly command: string
  ready(): void
}

export interface Behaviour {
  /** Instead of speaking SSH at all. */
  readonly raw?: (socket: Socket) => void
  /** Whether this connection is closed at once. */
  readonly refuse?: () => boolean
  /** After so many bytes from the server: what then happens to the connection. */
  readonly cut?: { readonly afterBytes: number; readonly by: (socket: Socket) => void }
  readonly auth?: (context: AuthContext, visit: Visit) => void
  readonly session?: (accept: () => Session, reject: () => void, visit: Visit) => void
  readonly exec?: (script: FakeScript) => void
  readonly refuseExec?: boolean
}

const directory = mkdtempSync(join(tmpdir(), 'sak-faulty-'))
const hostKeys = makeKeys()
/** As in known_hosts. */
export const hostKey = hostKeys.public.split(' ').slice(0, 2).join(' ')
const userKey = makeKeys()
writeFileSync(join(directory, 'id'), userKey.private, { mode: 0o600 })

/** ssh2 writes one key in three hundred so that it cannot read it. */
function makeKeys() {
  const { generateKeyPairSync, parseKey } = ssh2.utils
  for (;;) {
    const keys = generateKeyPairSync('ed25519')
    if (!(parseKey(keys.private) instanceof Error)) return keys
  }
}

export interface FaultyServer {
  readonly port: number
  readonly target: Target
  /** Connections that were made, and those still open. */
  readonly seen: { count: number; readonly open: Set<Socket> }
  close(): Promise<void>
}

/** An SSH server that does what the host must not do. Whatever is not told behaves well. */
export async function startFaultyServer(behaviour: Behaviour): Promise<FaultyServer> {
  const server = new ssh2.Server({ hostKeys: [hostKeys.private] })
  const seen = { count: 0, open: new Set<Socket>() }
  const sockets = new Map<number | undefined, Socket>()
  server.on('connection', (client, { port }) => {
    const socket = sockets.get(port)
    if (socket !== undefined) serve(client, socket, behaviour)
  })
  const listener = createServer(socket => {
    seen.count++
    seen.open.add(socket)
    socket.on('close', () => seen.open.delete(socket))
    socket.on('error', () => {})
    if (behaviour.refuse?.()) return void socket.end()
    if (behaviour.raw !== undefined) return behaviour.raw(socket)
    if (behaviour.cut !== undefined) cutAfter(socket, behaviour.cut)
    sockets.set(socket.remotePort, socket)
    server.injectSocket(socket)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  known.set(port, `[127.0.0.1]:${port} ${hostKey}\n`)
  return {
    port,
    seen,
    target: {
      name: 'faulty',
      address: '127.0.0.1',
      port,
      user: 'someone',
      connection: 'ssh',
      become: false,
      privateKeyPath: join(directory, 'id'),
    },
    close: async () => {
      for (const socket of seen.open) socket.destroy()
      await new Promise(resolve => listener.close(resolve))
    },
  }
}

const known = new Map<number, string>()

let configs = 0

/** Options with short deadlines that know all faulty servers started so far. */
export function faultyOptions(more: Partial<ConnectOptions> = {}, config = ''): ConnectOptions {
  const number = configs++
  const knownHosts = join(directory, `known_hosts_${number}`)
  writeFileSync(knownHosts, [...known.values()].join(''))
  const path = join(directory, `config_${number}`)
  const none = 'GlobalKnownHostsFile none\nIdentityAgent none\nIdentityFile none\n'
  writeFileSync(path, `${config}UserKnownHostsFile ${knownHosts}\n${none}`)
  return { sshConfigPath: path, home: directory, retries: 0, connectTimeoutMs: 1000, authTimeoutMs: 700, ...more }
}

function cutAfter(socket: Socket, { afterBytes, by }: { afterBytes: number; by: (socket: Socket) => void }) {
  const write = socket.write.bind(socket)
  let sent = 0
  let cut = false
  socket.write = (chunk: Uint8Array | string) => {
    sent += chunk.length
    if (sent <= afterBytes) return write(chunk)
    if (!cut) by(socket)
    cut = true
    return true
  }
}

function serve(client: Client, socket: Socket, behaviour: Behaviour) {
  const visit = { socket, client }
  client.on('error', () => {})
  client.on('authentication', context =>
    behaviour.auth === undefined ? context.accept() : behaviour.auth(context, visit),
  )
  client.on('session', (accept, reject) => {
    if (behaviour.session !== undefined)
      return behaviour.session(() => wired(accept(), visit, behaviour), reject, visit)
    wired(accept(), visit, behaviour)
  })
}

function wired(session: Session, visit: Visit, behaviour: Behaviour): Session {
  session.on('exec', (accept, reject, { command }) => {
    if (behaviour.refuseExec) return reject()
    const channel = accept()
    const nonce = /sh -s (\w+)/.exec(command)?.[1]
    const ready = () => void channel.stderr.write(`sak-ready ${nonce}\n`)
    behaviour.exec?.({ ...visit, channel, command, ready })
  })
  return session
}

/** A host that answers every script with the same text. */
export function answering(text: string): Behaviour {
  return {
    exec: ({ ready, channel }) => {
      ready()
      channel.write(text)
      channel.exit(0)
      channel.end()
    },
  }
}

/** ssh2 shares no way to send a packet of one's own. */
interface Protocol {
  readonly _packetRW: {
    readonly write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer }
  }
}
const wire: { sendPacket(protocol: Protocol, packet: Buffer): void } = createRequire(import.meta.url)(
  'ssh2/lib/protocol/utils.js',
)
const globalRequest = 80

/** Tells the host's key to whoever has logged in, as OpenSSH does with all that it has. */
export function tellHostKey(client: Client): void {
  const protocol: Protocol = Reflect.get(client, '_protocol')
  const string = (bytes: Buffer) => Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer).swap32(), bytes])
  const key = Buffer.from(hostKeys.public.split(' ')[1] ?? '', 'base64')
  const name = string(Buffer.from('hostkeys-00@openssh.com'))
  const body = Buffer.concat([Buffer.of(globalRequest), name, Buffer.of(0), string(key)])
  const { write } = protocol._packetRW
  const at = write.allocStart
  const packet = write.alloc(body.length)
  body.copy(packet, at)
  wire.sendPacket(protocol, write.finalize(packet))
}
