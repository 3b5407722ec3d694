import { runInNewContext } from 'node:vm'
import t from 'tap'
import { nginxconf } from '../../modules/nginxconf/module.ts'
import { Params as NginxParams } from '../../modules/nginxconf/params.ts'
import { parseLines, parseStatus, quoteValue } from '../../modules/pgconf/parse.ts'
import { renderEcosystem } from '../../modules/pm2eco/ecosystem.ts'
import { pm2eco } from '../../modules/pm2eco/module.ts'
import { Params } from '../../modules/pm2eco/params.ts'
import { parseDump, parseJlist } from '../../modules/pm2eco/parse.ts'
import { backTo } from '../../modules/pm2eco/undo.ts'
import { sysctl } from '../../modules/sysctl/module.ts'
import { secretsIn } from '../../src/core/secret.ts'
import { openVault } from '../../src/core/vault.ts'
import { secret } from '../../src/index.ts'

const password = secret.env('SAK_MODULE_PASSWORD')
const value = `it's "s3cret"\\ $x`
const { reveal, mask, settle } = openVault(new Map([...secretsIn(String(password))].map(id => [id, value])))

const app = { name: 'shop', script: 'server.js', cwd: '/srv/shop', env: { PASSWORD: password } }

t.test("an app's environment holds secrets: in the ecosystem file, in PM2's lists, and on the way back", async t => {
  const { apps, path } = Params.parse({ apps: [app] })
  const js = { exports: {} }
  runInNewContext(reveal(renderEcosystem(path, apps)), { module: js })
  t.match(js.exports, { apps: [{ env: { PASSWORD: value } }] })
  const saved = JSON.parse(reveal(renderEcosystem('/srv/shop/apps.json', apps)))
  t.match(saved, { apps: [{ env: { PASSWORD: value } }] })

  const env = { status: 'online', PASSWORD: value, pm_id: 0 }
  const [listed] = parseJlist(mask(JSON.stringify([{ name: 'shop', pm2_env: env }])))
  t.equal(listed?.env.PASSWORD, settle(String(password)))
  const [dumped] = parseDump(mask(JSON.stringify([{ name: 'shop', ...env }]))) ?? []
  t.equal(dumped?.env.PASSWORD, settle(String(password)))
  const pm2 = { pm2: '/usr/bin/pm2', user: 'ubuntu', env: {} }
  const stdin = backTo(pm2, 'shop', listed ? [listed] : []).find(command => command.stdin)?.stdin ?? ''
  t.match(JSON.parse(reveal(stdin)), { apps: [{ env: { PASSWORD: value } }] })
})

t.test('a text setting of PostgreSQL holds secrets: quoted in its file, and as the server tells it', async t => {
  const info = `host=db password='${password}'`
  const line = `primary_conninfo = ${quoteValue(info)}`
  t.equal(parseLines(reveal(line))[0]?.value, reveal(info), 'PostgreSQL reads what was meant')
  t.equal(parseLines(mask(reveal(line)))[0]?.value, info)
  t.match(quoteValue(String(password)), /^'.*'$/, 'quoted whatever the value may be')
  const row = {
    unit: null,
    vartype: 'string',
    context: 'sighup',
    source: 'file',
    file: null,
    min: null,
    max: null,
    enum: null,
  }
  const settings = [{ ...row, name: 'primary_conninfo', setting: reveal(info), boot: null, pending: false }]
  const status = {
    version: 15,
    configFile: '/x',
    standby: false,
    loadedAt: 0,
    settings,
    custom: null,
    sessions: [],
    alike: null,
  }
  const answer = parseStatus({ code: 0, stdout: mask(JSON.stringify(status)), stderr: '' })
  t.match(answer, { status: { settings: [{ setting: info }] } })
})

t.test('an argument of nginx holds a secret that is a word, and refuses another', async t => {
  const { http } = NginxParams.parse({ http: { proxy_set_header: [`X-Key ${password}`] } })
  t.throws(() => settle(http), { code: 'refused', message: /SAK_MODULE_PASSWORD has other characters/ })
  const words = openVault(new Map([...secretsIn(String(password))].map(id => [id, 'plain-W0rd'])))
  t.same(words.settle(http), { proxy_set_header: [`X-Key ${password}`] })
  t.ok(nginxconf({ http: { proxy_set_header: [`X-Key ${password}`, `Y-Key "${password}"`] } }))
})

t.test('who takes a secret that does not belong there is told', async t => {
  const wrong = { settings: { 'kernel.hostname': password } }
  t.throws(() => sysctl.parse(wrong), { code: 'invalid-params' })
  t.throws(() => pm2eco.parse({ apps: [{ ...app, name: password }] }), {
    code: 'invalid-params',
    message: /apps\[0\]\.name/,
  })
})
