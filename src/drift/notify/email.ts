import type { ConfigOf, Send } from './message.ts'
import { secretValue } from './secret.ts'

/**
 * Sends a mail by SMTP. The server's certificate must be good for its name; a login is sent over TLS only. The library is loaded
 * only when there is a mail to send.
 */
export function email(
  { server, user, password, from, to, timeout: _, ...rest }: ConfigOf<'email'>,
  timeoutMs: number,
): Send {
  return async ({ title, text, events }) => {
    const { createTransport } = await import('nodemailer')
    const login = user === undefined ? {} : { auth: { user, pass: password ? await secretValue(password) : '' } }
    const times = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs }
    const { hostname, port, protocol, host } = new URL(server)
    const transport = createTransport({
      host: hostname,
      ...(port !== '' && { port: Number(port) }),
      secure: protocol === 'smtps:',
      requireTLS: user !== undefined,
      ...login,
      ...times,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    const [first] = events
    const headers = { 'X-Sak-Notifier': rest.name ?? rest.kind, ...(first && { 'X-Sak-Event': first.id }) }
    try {
      await transport.sendMail({ from, to, subject: title, text, headers })
    } catch (error) {
      throw new Error(`${host}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      transport.close()
    }
  }
}
