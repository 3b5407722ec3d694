/** What drift keeps and tells of hosts that leak secrets is searched for their values in every form. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { mailServer } from '../drift/notify/mail-server.ts'
import { filesWith, found, needlesOf } from '../e2e/canary.ts'
import { emptyFolder, sak } from './sak.ts'

const word = () => randomBytes(9).toString('base64url')
/** Every character that some syntax has a use for. */
const nasty = () => `Nasty-${word()}'"\\$x&<y>%41 é-${word()}`
const [first, second, hook] = [nasty(), nasty(), `hook-${word()}`]

const playbook = `
import { defineModule, definePlaybook, escapeSecrets, file, secret, SecretString, write } from 'sak-reconcile'
import { z } from 'zod'
const shop = defineModule({
  name: 'shop', description: 'Keeps the settings of a shop.', impact: 'none',
  params: z.strictObject({ password: SecretString, folder: z.string() }),
  owns: ({ folder }) => [folder + '/shop.json', folder + '/log.conf'],
  check: async (host, { password, folder }) => {
    const [settings, log, { stdout }] = await Promise.all([
      host.file(folder + '/shop.json'), host.file(folder + '/log.conf'), host.command(['cat', folder + '/said'], {}),
    ])
    if (stdout.startsWith('broken')) throw new Error('the shop is ' + stdout)
    const json = escapeSecrets(JSON.stringify({ password }), 'json')
    return {
      current: { saved: [settings, log], running: { said: stdout } },
      desired: { saved: [file(folder + '/shop.json', json + '\\n', { mode: '0600' }), file(folder + '/log.conf', 'level = info\\n', { mode: '0600' })], running: { said: 'ready' } },
    }
  },
  apply: ({ saved }) => (saved?.after ?? []).map(each => write(each)),
})
export default definePlaybook({
  name: 'shop',
  params: z.strictObject({ folder: z.string() }),
  tasks: ({ folder }) => [shop({ password: secret.env('SHOP_PASSWORD'), folder })],
})
`

/** A project whose four notifiers keep what they are told. */
async function project(t: Test) {
  const cwd = await emptyFolder(t)
  const told: string[] = []
  const server = createServer(async (request, response) => {
    told.push(JSON.stringify(request.headers), await text(request))
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/${hook}`
  const mail = await mailServer(t)
  const notify = [
    { kind: 'webhook', url, secret: { env: 'HOOK_SECRET' } },
    { kind: 'slack', url },
    { kind: 'email', server: `smtp://127.0.0.1:${mail.port}`, from: 'sak@example.com', to: 'ops@example.com' },
    { kind: 'command', argv: ['sh', '-c', 'cat >>"$1"', 'sh', join(cwd, 'told')] },
    { kind: 'webhook', name: 'down', url: `http://127.0.0.1:1/${hook}`, tries: 1 },
  ]
  const config = { playbook: './shop.ts', inventory: 'localhost,', vars: { folder: cwd }, drift: { notify } }
  writeFileSync(join(cwd, 'shop.ts'), playbook)
  writeFileSync(join(cwd, 'sak.config.json'), JSON.stringify(config))
  const run = async (password: string, ...args: string[]) => {
    const env = { SHOP_PASSWORD: password, HOOK_SECRET: hook, XDG_STATE_HOME: join(cwd, 'state') }
    const ran = await sak(args, { cwd, env })
    told.push(ran.stdout, ran.stderr)
    return ran
  }
  const put = (name: string, content: string) => writeFileSync(join(cwd, name), content, { mode: 0o600 })
  const mails = () => mailText(mail.lines)
  return { cwd, run, put, mails, said: () => [...told, mail.lines.join('\n'), mails()].join('\n') }
}

/** Mail breaks lines and writes what is not ASCII as `=C3=A9`. */
const mailText = (lines: readonly string[]) =>
  Buffer.from(
    lines
      .map(line => (line.endsWith('=') ? line.slice(1, -1) : `${line.slice(1)}\n`))
      .join('')
      .replaceAll(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    'latin1',
  ).toString('utf8')

const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`
const base64 = (value: string) => Buffer.from(value).toString('base64')

t.test('secrets that a host leaks are neither kept nor told', async t => {
  const { cwd, run, put, mails, said } = await project(t)
  const json = (password: string) => `${JSON.stringify({ password })}\n`
  put('shop.json', json(first))
  put('log.conf', 'level = info\n')
  put('said', 'ready')
  t.match(await run(first, 'drift'), { code: 0, stdout: '', stderr: '' }, 'in sync')
  const leaks = [first, quoted(first), base64(first), base64(`x${first}`), encodeURIComponent(first)]
  put('log.conf', leaks.map(leak => `login: ${leak}\n`).join(''))
  put('said', `hello ${leaks.join(' ')}`)
  const masked = /(-login: .*SHOP_PASSWORD.*\s+){5}[\s\S]*hello (.*SHOP_PASSWORD){5}/
  t.match(await run(first, 'drift'), { code: 2, stdout: masked })
  put('said', `broken: ${first}`)
  t.match(await run(first, 'drift'), { code: 4, stdout: /broken: <secret env SHOP_PASSWORD>/ })
  put('said', 'ready')
  put('log.conf', 'level = info\n')
  t.match(
    await run(second, 'drift', '--all'),
    { code: 2, stdout: /not shown/ },
    'another value: the old one is unknown',
  )
  const reports = ['json', 'html', 'junit', 'ndjson', 'prometheus', 'github']
  const files = reports.flatMap(format => ['--report', `${format}:${join(cwd, `report.${format}`)}`])
  t.match(await run(second, '--yes', ...files), { code: 0 })
  t.match(await run(second, 'history', '--json'), { code: 0 })
  t.match(await run(second, 'report', '--format', 'html'), { code: 0 })

  const all = said()
  for (const kind of [
    /"schema":"sak-reconcile\/drift-events@1"/,
    /"text":"shop: /,
    /Subject: shop: /,
    /SHOP_PASSWORD/,
  ]) {
    t.match(all, kind)
  }
  for (const one of [readFileSync(join(cwd, 'told'), 'utf8'), mails()]) t.match(one, 'hello <secret env SHOP_PASSWORD>')
  t.same(found(all, needlesOf(second)), [])
  t.same(found(all, needlesOf(first)), [])
  t.same(found(all, needlesOf(hook)), [])
  const kept = (...values: string[]) => filesWith(cwd, values.flatMap(needlesOf))
  t.same(kept(first, second), [join(cwd, 'shop.json')])
  t.same(kept(hook), [join(cwd, 'sak.config.json')])
})
