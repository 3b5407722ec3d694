import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { NotifierConfig } from '../../../src/core/drift-config.ts'
import { tell } from '../../../src/drift/deliver.ts'
import type { Message } from '../../../src/drift/notify/message.ts'
import { notifierOf } from '../../../src/drift/notify/notifier.ts'
import { mailServer } from './mail-server.ts'

const message: Message = { playbook: 'web', events: [], title: 'web: 1 new (web1)', text: 'drift <b> & ```\n' }
const telling = (config: object) => tell(notifierOf(NotifierConfig.parse(config)), message)

interface Got {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** A server that answers with the codes in turn; 0 is no answer at all. */
async function webServer(t: Test, ...codes: number[]) {
  const got: Got[] = []
  const server = createServer(async (request, response) => {
    got.push({ headers: request.headers, body: await text(request) })
    const code = codes[Math.min(got.length, codes.length) - 1] ?? 200
    if (code !== 0) response.writeHead(code, code >= 300 && code < 400 ? { location: '/' } : {}).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { got, url: `http://127.0.0.1:${port}/hook/s3cret` }
}

t.test('a webhook gets JSON, signed over its time and text', async t => {
  const { got, url } = await webServer(t, 200)
  process.env.SAK_TEST_SECRET = 'k3y'
  const secret = { env: 'SAK_TEST_SECRET' }
  t.equal(await telling({ kind: 'webhook', url, secret, headers: { authorization: secret } }), undefined)
  const [{ headers, body } = { headers: {}, body: '' }] = got
  t.match(JSON.parse(body), { schema: 'sak-reconcile/drift-events@1', playbook: 'web', events: [] })
  t.match(headers, { authorization: 'k3y', 'content-type': 'application/json' })
  const signed = createHmac('sha256', 'k3y').update(`${headers['x-sak-timestamp']}.${body}`).digest('hex')
  t.equal(headers['x-sak-signature'], `sha256=${signed}`)
  t.ok(Math.abs(Date.now() / 1000 - Number(headers['x-sak-timestamp'])) < 10)
})

t.test('a failure is tried again, and told without the secret part of the URL', async t => {
  const again = await webServer(t, 503, 200)
  t.equal(await telling({ kind: 'webhook', url: again.url }), undefined)
  t.equal(again.got.length, 2)
  const never = await webServer(t, 500)
  const why = await telling({ kind: 'webhook', url: never.url, tries: 2 })
  t.match(why, /^127\.0\.0\.1:\d+ answered 500$/)
  t.equal(never.got.length, 2)
  const silent = await webServer(t, 0)
  t.equal(await telling({ kind: 'slack', url: silent.url, tries: 1, timeout: '100ms' }), 'no answer within 0.1 s')
  const moved = await webServer(t, 302)
  t.match(await telling({ kind: 'webhook', url: moved.url, tries: 1 }), /./, 'nobody is sent elsewhere with it')
  t.equal(moved.got.length, 1)
  t.match(await telling({ kind: 'webhook', url: 'http://127.0.0.1:1/x', tries: 1 }), /^127\.0\.0\.1:1: .*/)
  t.match(await telling({ kind: 'webhook', url: { env: 'SAK_NONE' }, tries: 1 }), 'the environment has no SAK_NONE')
  t.match(await telling({ kind: 'webhook', url: { file: '/nowhere' }, tries: 1 }), /ENOENT/)
})

t.test('Slack gets a text that cannot break out of its place', async t => {
  const { got, url } = await webServer(t, 200)
  const file = join(t.testdir({ url: `${url}\nmore` }), 'url')
  t.equal(await telling({ kind: 'slack', url: { file } }), undefined)
  t.same(JSON.parse(got[0]?.body ?? ''), { text: "web: 1 new (web1)\n```\ndrift &lt;b&gt; &amp; '''\n\n```" })
})

t.test('a program gets the message on its standard input, and must end well in time', async t => {
  const file = join(t.testdir(), 'out')
  t.equal(await telling({ kind: 'command', argv: ['sh', '-c', 'cat > "$1"', 'sh', file] }), undefined)
  t.equal(await telling({ kind: 'command', argv: ['true'] }), undefined, 'it need not read')
  const command = (...argv: string[]) => telling({ kind: 'command', argv, tries: 1, timeout: '200ms' })
  t.equal(await command('sh', '-c', 'echo no luck >&2; exit 3'), 'sh ended with 3: no luck')
  t.equal(await command('sleep', '60'), 'no answer within 0.2 s')
  t.match(await command('no-such-program'), /ENOENT/)
})

t.test('a mail goes by SMTP, to all', async t => {
  const { lines, port } = await mailServer(t)
  const config = {
    kind: 'email',
    server: `smtp://127.0.0.1:${port}`,
    from: 'sak@example.com',
    to: ['a@example.com', 'b@example.com'],
  }
  t.equal(await telling(config), undefined)
  const sent = lines.map(line => line.slice(1)).join('\n')
  for (const part of ['MAIL FROM:<sak@example.com>', 'RCPT TO:<a@example.com>', 'RCPT TO:<b@example.com>']) {
    t.match(sent, part)
  }
  t.match(sent, /Subject: web: 1 new \(web1\)\n/)
  t.match(await telling({ ...config, server: 'smtp://127.0.0.1:1', tries: 1 }), /^127\.0\.0\.1:1: .*ECONNREFUSED/)
})
