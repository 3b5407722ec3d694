import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { certificateFor, type MailServerOptions, mailServer } from '../drift/notify/mail-server.ts'
import { emptyFolder, notes, sak } from './sak.ts'

/** A `drift` that finds something and mails it to a server of that kind, here. */
async function mailing(
  t: Test,
  {
    protocol,
    tls,
    user,
    names = 'IP:127.0.0.1',
    isTrusted = true,
  }: {
    protocol: 'smtp' | 'smtps'
    tls?: MailServerOptions['tls']
    user?: string
    names?: string
    isTrusted?: boolean
  },
) {
  const { authority, secureContext } = certificateFor(t, names)
  const { lines, port } = await mailServer(t, { secureContext, ...(tls && { tls }) })
  const cwd = await emptyFolder(t)
  const login = user === undefined ? {} : { user, password: 'p4ss' }
  const server = `${protocol}://127.0.0.1:${port}`
  const mail = { kind: 'email', server, ...login, from: 'sak@example.com', to: 'ops@example.com', tries: 1 }
  const config = { playbook: './notes.ts', inventory: 'localhost,', vars: { folder: cwd }, drift: { notify: [mail] } }
  writeFileSync(join(cwd, 'notes.ts'), notes)
  writeFileSync(join(cwd, 'sak.config.json'), JSON.stringify(config))
  const env = { XDG_STATE_HOME: join(cwd, 'state'), ...(isTrusted && { NODE_EXTRA_CA_CERTS: authority }) }
  return { ...(await sak(['drift'], { cwd, env })), sent: lines.join('\n') }
}
const credentials = Buffer.from('\0me\0p4ss').toString('base64')

t.test('a mail goes over TLS, from the first byte or from STARTTLS on', async t => {
  for (const [protocol, tls] of [
    ['smtps', 'implicit'],
    ['smtp', 'starttls'],
  ] as const) {
    const { code, stderr, sent } = await mailing(t, { protocol, tls, user: 'me' })
    t.match({ code, stderr }, { code: 2, stderr: '' }, tls)
    t.match(sent, credentials)
    t.match(sent, /\nSubject: notes: 2 new \(localhost\)\n/)
    t.notMatch(sent, /!(AUTH|MAIL|DATA|Subject)/, 'nothing of it in the clear')
  }
})

t.test('a certificate that proves nothing is refused, whatever STARTTLS would allow', async t => {
  const bad = [
    { isTrusted: false, why: /unable to verify the first certificate/ },
    { names: 'DNS:other.example.com', why: /IP: 127\.0\.0\.1 is not in the cert's list/ },
  ]
  for (const { why, ...given } of bad) {
    for (const [protocol, tls] of [
      ['smtps', 'implicit'],
      ['smtp', 'starttls'],
    ] as const) {
      const { code, stderr, sent } = await mailing(t, { protocol, tls, user: 'me', ...given })
      t.equal(code, 2)
      console.log('#', stderr)
      t.match(stderr, why)
      t.match(stderr, /^warning: the notifier email was not reached: 127\.0\.0\.1:\d+: /)
      t.notMatch(sent, /AUTH|MAIL|DATA/)
    }
  }
})

t.test('a login is not sent in the clear; a mail without one may be', async t => {
  const { code, stderr, sent } = await mailing(t, { protocol: 'smtp', user: 'me' })
  t.equal(code, 2)
  console.log('#', stderr)
  t.match(stderr, /^warning: the notifier email was not reached: 127\.0\.0\.1:\d+: .*STARTTLS/)
  t.notMatch(sent, credentials)
  const plain = await mailing(t, { protocol: 'smtp' })
  t.match(plain, { code: 2, stderr: '' })
  t.match(plain.sent, /!Subject: /)
})
