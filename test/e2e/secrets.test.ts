/**
 * What a run with secrets writes, here and on a real host, is searched for their values in every form: the files that are to hold them
 * are excepted by name, and nothing else is.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { emptyFolder, type Ran, sak } from '../cli/sak.ts'
import { filesWith, found, needlesOf } from './canary.ts'
import { startHost } from './harness.ts'
import { type Started, startedBy } from './started.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const word = () => randomBytes(9).toString('base64url')
/** Every character that some syntax has a use for. */
const nasty = () => `Nasty-${word()}'"\\$x&<y>%41 é-${word()}`
const passwords = { first: nasty(), second: nasty(), third: nasty() }
const key = `-----BEGIN KEY-----\n${randomBytes(45).toString('base64')}\n${randomBytes(30).toString('base64')}\n-----END KEY-----`
const token = `Token-${word()}`
const needles = [...Object.values(passwords), key, token].flatMap(needlesOf)
const sudoPassword = needlesOf(host.sudoPassword)

/** No secrets: an argument and the environments of a read and of a step, where secrets would be seen, too. */
const open = { argument: `argument-${word()}`, read: `read-${word()}`, step: `step-${word()}` }

const playbook = `
import { definePlaybook, defineModule, escapeSecrets, file, run, secret, SecretString, write } from 'sak-reconcile'
import { nginxconf, pgconf, pm2eco } from 'sak-reconcile/modules'
import { z } from 'zod'

const password = secret.env('SHOP_PASSWORD')
const key = secret.file('key.pem')
const token = secret.command(['sh', '-c', 'cat token'])

const shop = defineModule({
  name: 'shop',
  description: 'Keeps the settings of the shop.',
  params: z.strictObject({ password: SecretString, key: SecretString, fails: z.boolean() }),
  impact: 'none',
  owns: () => ['/etc/shop.json', '/etc/shop.pem'],
  check: async (host, { password, key }) => {
    await host.command(['sh', '-c', 'cat', '${open.argument}'], { stdin: password, env: { WHAT: '${open.read}' } })
    const [settings, pem] = await Promise.all([host.file('/etc/shop.json'), host.file('/etc/shop.pem')])
    const json = escapeSecrets(JSON.stringify({ user: 'shop', password }, null, 2), 'json')
    const url = 'url=postgres://shop:' + escapeSecrets(password, 'url') + '@db/shop'
    return {
      current: { saved: [settings, pem] },
      desired: { saved: [file('/etc/shop.json', json + '\\n', { mode: '0640' }), file('/etc/shop.pem', key + '\\n' + url + '\\n', { mode: '0600' })] },
    }
  },
  apply: ({ saved }, { password, fails }) => [
    ...(saved?.after ?? []).map(each => write(each)),
    run(['sh', '-c', 'p=$(cat); echo "bad login: $p"; printf %s "$p" | base64; printf "x%s" "$p" | base64 -w0; env; exit ' + (fails ? 9 : 0)], {
      title: 'log in', stdin: password, env: { WHAT: '${open.step}' }, undo: [{ argv: ['sh', '-c', 'cat; echo undone'], stdin: password }],
    }),
  ],
})

export default definePlaybook({
  name: 'shop',
  params: z.strictObject({ fails: z.boolean().default(false), exposed: z.boolean().default(false) }),
  tasks: ({ fails, exposed }) => [
    shop({ password, key, fails }),
    pm2eco({ apps: [{ name: 'sak-whatsapp-api', script: 'server.js', cwd: '/var/www/sak-whatsapp-api', env: { PORT: 5000, SHOP_PASSWORD: password } }], takeOver: true }),
    pgconf({ settings: { primary_conninfo: 'host=127.0.0.1 user=standby password=' + token } }),
    nginxconf({ http: { proxy_set_header: ['X-Token ' + token] } }),
    exposed && nginxconf({ http: { add_header: ['X-Token ' + token] }, path: '/etc/nginx/conf.d/' + token + '.conf' }, { label: 'exposed' }),
  ],
})
`

/** A folder with the playbook, its secrets, and an inventory with a login that must give sudo a password. */
async function project(test: Test) {
  const cwd = await emptyFolder(test)
  const { address, port, privateKeyPath, sudoPasswordUser: user, hostKey } = host
  mkdirSync(join(cwd, '.ssh'), { mode: 0o700 })
  writeFileSync(join(cwd, '.ssh/known_hosts'), `${address} ${hostKey}\n`)
  const inventory = {
    hosts: { web1: { address, port, user, privateKeyPath, become: true, becomePassword: host.sudoPassword } },
  }
  const files = {
    'shop.ts': playbook,
    'key.pem': `${key}\n`,
    token: `${token}\n`,
    'hosts.json': JSON.stringify(inventory),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content)
  const outputs: string[] = []
  const run = async (password: string | undefined, ...args: readonly string[]): Promise<Ran> => {
    const env = { SHOP_PASSWORD: password ?? '', XDG_STATE_HOME: join(cwd, 'state') }
    const ran = await sak(args, { cwd, env: password === undefined ? { XDG_STATE_HOME: env.XDG_STATE_HOME } : env })
    outputs.push(ran.stdout, ran.stderr)
    return ran
  }
  const shop = ['./shop.ts', '-i', 'hosts.json', '--allow-over-budget'] as const
  return { cwd, outputs, run, shop }
}

/** Programs that have a secret among their arguments or in their environment. */
function exposing(started: readonly Started[]): readonly string[] {
  const holds = (words: readonly string[]) => found(words.join('\n'), [...needles, ...sudoPassword]).length > 0
  return started.flatMap(({ argv, environment }) => [
    ...(holds(argv) ? [`arguments of ${argv.join(' ')}`] : []),
    ...(holds(environment) ? [`environment of ${argv.join(' ')}`] : []),
  ])
}

/** Files of the host, of whatever kind, that hold a secret. */
async function filesOnHost(): Promise<readonly string[]> {
  const places = '/etc /home /opt /root /run /srv /tmp /usr/local /var /dev/shm'
  const patterns = [...needles, ...sudoPassword].join('\n')
  const files = await host.exec(`grep -rlaF -f /dev/stdin --devices=skip ${places} 2>/dev/null`, {
    root: true,
    stdin: patterns,
    mayFail: true,
  })
  const journal = await host.output('journalctl --no-pager -o export', { root: true })
  return [
    ...files.stdout.split('\n').filter(line => line !== ''),
    ...found(journal, [...needles, ...sudoPassword]),
  ].sort()
}

/** Where secrets are meant to be: the files that the tasks keep, PM2's own list, and what PostgreSQL logs of a reload by itself. */
const meant = [
  '/etc/nginx/conf.d/60-sak.conf',
  '/etc/postgresql/15/main/conf.d/60-sak.conf',
  '/etc/shop.json',
  '/etc/shop.pem',
  '/home/ubuntu/.pm2/dump.pm2',
  '/home/ubuntu/.pm2/dump.pm2.bak',
  '/var/log/postgresql/postgresql-15-main.log',
  '/var/www/sak-whatsapp-api/ecosystem.config.js',
]

t.test('secrets are written where they are meant to be, and nowhere else, whatever happens', async t => {
  const { cwd, outputs, run, shop } = await project(t)
  const started = await startedBy(host, async () => {
    t.match(await run(undefined, ...shop, '-n'), {
      code: 1,
      stdout: '',
      stderr: /secret-unavailable: the secret env SHOP_PASSWORD: .*is not set/,
    })
    const looked = await run(passwords.first, ...shop, '-n', '-v', '--save-plan', 'plan.json')
    t.match(looked, { code: 2, stdout: /\+.*"password": "<secret env SHOP_PASSWORD>"/ })
    t.match(looked.stdout, /-----BEGIN|<secret file key.pem>/)
    t.match(
      await run(passwords.second, 'apply', 'plan.json'),
      { code: 1, stdout: /stale-plan/ },
      'a secret has changed since',
    )
    t.match(await run(passwords.first, 'apply', 'plan.json', '-v'), { code: 0, stdout: /✓ changed/ })
    t.match(await run(passwords.first, ...shop, '-n', '--json', '-o', 'report.json'), { code: 0 }, 'in sync')

    const drift = await run(passwords.second, ...shop, '-n', '-v')
    t.match(drift, { code: 2, stdout: /-.*"password": "?<not shown>/ }, 'neither the old value nor the new one')
    const before = await host.output('stat -c "%a %U %Y" /etc/shop.json; sha256sum /etc/shop.json', { root: true })
    const failed = await run(passwords.second, ...shop, '-y', '-v', '-e', 'fails=true')
    t.match(failed, { code: 4, stdout: /step-failed[\s\S]*\| bad login: <secret env SHOP_PASSWORD>/ })
    t.equal(await host.output('stat -c "%a %U %Y" /etc/shop.json; sha256sum /etc/shop.json', { root: true }), before)
    const json = ['--json', '-o', 'failed.json']
    t.match(await run(passwords.third, ...shop, '-y', '-e', 'fails=true', ...json), { code: 4 })
    t.match(await run(passwords.second, ...shop, '-y', '--format', 'ndjson'), { code: 0 })
    const exposed = await run(passwords.second, ...shop, '-n', '-e', 'exposed=true')
    t.match(exposed, { code: 4, stdout: /refused: / })
  })

  const argued = (text: string) => started.some(({ argv }) => argv.includes(text))
  const inEnvironment = (text: string) => started.some(({ environment }) => environment.includes(`WHAT=${text}`))
  t.ok(argued(open.argument), 'programs are seen with their arguments')
  t.ok(inEnvironment(open.read) && inEnvironment(open.step), 'and with their environments')
  t.notOk(
    started.some(({ argv }) => [open.read, open.step].some(text => argv.join(' ').includes(text))),
    'an environment is in no argument, not even of env',
  )
  const app = 'environment of node /usr/lib/node_modules/pm2/lib/ProcessContainerFork.js'
  t.same([...new Set(exposing(started))], [app], 'no arguments, and no environment but that of the app')
  t.same(await filesOnHost(), meant)
  t.equal(
    await host.output('cat /etc/shop.json', { root: true }),
    JSON.stringify({ user: 'shop', password: passwords.second }, null, 2),
  )
  t.equal(
    await host.output(
      'cat /proc/$(pgrep -f sak-whatsapp-api/server.js | head -1)/environ | tr "\\0" "\\n" | sed -n s/^SHOP_PASSWORD=//p',
      { root: true },
    ),
    passwords.second,
  )

  for (const output of outputs) t.same(found(output, [...needles, ...sudoPassword]), [])
  t.same(
    filesWith(cwd, [...needles, ...sudoPassword]),
    ['hosts.json', 'key.pem', 'token'].map(name => join(cwd, name)),
  )
  t.match(readFileSync(join(cwd, 'plan.json'), 'utf8'), /<secret env SHOP_PASSWORD>/)
})
