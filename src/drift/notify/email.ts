import type { ConfigOf, Send } from './message.ts'
import { secretValue } from './secret.ts'

/** Sends a mail by SMTP. The library is loaded only when there is one to send. */
export function email(
  { server, user, password, from, to, timeout: _, ...rest }: ConfigOf<'email'>,
  timeoutMs: number,
): Send {
  return async ({ title, text, events }) => {
    const { createTransport } = await import('nodemailer')
    const auth = user === undefined ? {} : { auth: { user, pass: password ? await secretValue(password) : '' } }
    const times = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs }
    const { hostname, port, protocol } = new URL(server)
    const transport = createTransport({
      host: hostname,
      ...(port !== '' && { port: Number(port) }),
      secure: protocol === 'smtps:',
      ...auth,
      ...times,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    const [first] = events
    const headers = { 'X-Sak-Notifier': rest.name ?? rest.kind, ...(first && { 'X-Sak-Event': first.id }) }
    try {
      await transport.sendMail({ from, to, subject: title, text, headers })
    } finally {
      transport.close()
    }
  }
}
