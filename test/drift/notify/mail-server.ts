import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import type { Test } from 'tap'

export interface MailServerOptions {
  /** Its key and certificate. */
  readonly secureContext?: SecureContext
  /** `implicit` from the first byte, `starttls` after that command; default: never. */
  readonly tls?: 'implicit' | 'starttls'
}

/** A mail server that takes whatever comes, with whatever login, and keeps the lines: those that came in the clear with a `!`. */
export async function mailServer(t: Test, { secureContext, tls }: MailServerOptions = {}) {
  const lines: string[] = []
  const sockets = new Set<Socket>()
  const secured = (socket: Socket) =>
    new TLSSocket(socket, { isServer: true, ...(secureContext && { secureContext }) }).on('error', () => {})
  const talk = (socket: Socket) => {
    const offers = tls === 'starttls' && !(socket instanceof TLSSocket) ? '250-STARTTLS\r\n' : ''
    let isData = false
    socket.on('data', function listen(chunk) {
      for (const line of chunk.toString('utf8').split('\r\n').filter(Boolean)) {
        lines.push(socket instanceof TLSSocket ? line : `!${line}`)
        if (isData && line !== '.') continue
        isData = line === 'DATA'
        if (line.startsWith('EHLO')) socket.write(`250-test\r\n${offers}250 AUTH PLAIN\r\n`)
        else if (line.startsWith('AUTH')) socket.write('235 welcome\r\n')
        else if (line === 'STARTTLS') {
          socket.off('data', listen)
          socket.write(offers === '' ? '502 not here\r\n' : '220 go on\r\n')
          talk(secured(socket))
        } else socket.write(isData ? '354 go on\r\n' : '250 ok\r\n')
      }
    })
  }
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    const first = tls === 'implicit' ? secured(socket) : socket
    first.write('220 test\r\n')
    talk(first)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { lines, port: typeof address === 'object' ? address?.port : 0 }
}

/** A certificate of an own authority for a name or address, made by openssl. */
export function certificateFor(t: Test, subjectAltName: string) {
  const folder = t.testdir({ 'server.ext': `subjectAltName=${subjectAltName}\n` })
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority', '-days', '2')
  openssl('req', ...fresh, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=test')
  const signed = ['-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'server.ext']
  openssl('x509', '-req', ...signed, '-out', 'server.pem', '-days', '2')
  const [key, cert] = ['server.key', 'server.pem'].map(name => readFileSync(join(folder, name)))
  return { authority: join(folder, 'ca.pem'), secureContext: createSecureContext({ key, cert }) }
}
