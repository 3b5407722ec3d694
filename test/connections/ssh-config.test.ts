import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { type Asked, type Hop, proxyJump, toHop } from '../../src/connections/hop.ts'
import { evaluate, needsSsh, parseSshConfig, parseSshG } from '../../src/connections/ssh-config.ts'
import { hostDirectives, readSshConfig } from '../../src/connections/ssh-config-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'sak-ssh-config-'))
const home = homedir()
const file = join(directory, 'config')
mkdirSync(join(directory, 'conf.d'))
writeFileSync(join(directory, 'conf.d', 'a.conf'), 'Host inc*\n  User from-a\n  Port 41\n')
writeFileSync(join(directory, 'conf.d', 'b.conf'), 'User from-b\nIdentityFile ~/.ssh/b\n')
writeFileSync(join(directory, 'conf.d', '.hidden.conf'), 'User hidden\n')

/** What ssh itself says, brought into the same shape. Where no key is named, ssh lists more defaults than we try. */
function settled(hop: Hop, jump: string | undefined, named: boolean) {
  const { identityFiles, ...rest } = hop
  return { ...rest, jump: jump === 'none' ? undefined : jump, identityFiles: named ? identityFiles : [] }
}

async function compare(
  config: string,
  host: string,
  t: { strictSame: (a: unknown, b: unknown, message: string) => void },
) {
  writeFileSync(file, config)
  const asked: Asked = { name: host, port: undefined, user: undefined, privateKeyPath: undefined }
  const lines = await readSshConfig({ path: file, home })
  const ours = await hostDirectives(lines, { path: file, home }, asked)
  const theirs = parseSshG(execFileSync('ssh', ['-G', '-F', file, '--', host], { encoding: 'utf8', stdio: 'pipe' }))
  const named = ours.has('identityfile')
  t.strictSame(
    settled(toHop(asked, ours, {}, home), proxyJump(ours, host), named),
    settled(toHop(asked, theirs, {}, home), proxyJump(theirs, host), named),
    `${host}: ${config.replaceAll('\n', ' | ')}`,
  )
}

const configs: readonly (readonly [string, ...string[]])[] = [
  ['', 'web'],
  ['Host web\n  HostName 10.0.0.5\n  User deploy\n  Port 2222\n', 'web', 'db'],
  ['User first\nHost *\n  User second\n', 'web'],
  ['Host web\n User one\nHost *\n User two\n Port 2000\n', 'web', 'db'],
  ['Host web*\n HostName %h.example.org\n', 'web1'],
  ['Host web\n HostName %%h\n', 'web'],
  ['Host *.example.org !bad.example.org\n User x\n', 'good.example.org', 'bad.example.org'],
  ['Host !bad\n User x\n', 'good', 'bad'],
  ['Host a b "c d"\n User x\n', 'a', 'b', 'c'],
  ['Host we?1\n Port 7\n', 'web1', 'web12'],
  ['Host Web\n User x\n', 'web', 'Web'],
  ['host web\n user lower\n PORT 9\n', 'web'],
  ['Host=web\nUser=eq\nPort = 77\n', 'web'],
  ['Host web\n\tUser\ttabbed   \n', 'web'],
  ['User "quoted"\n', 'web'],
  ["User 'single'\n", 'web'],
  ['User a#b\n', 'web'],
  ['User x # a comment\n', 'web'],
  ['# Host web\n  # User x\n\nUser y\n', 'web'],
  ['IdentityFile ~/.ssh/one\nIdentityFile "/keys/with space"\nHost web\n IdentityFile /keys/%h-%r\n', 'web', 'db'],
  ['IdentityFile /keys/%n_%p_%u\nPort 99\n', 'web'],
  ['IdentityFile none\n', 'web'],
  ['IdentitiesOnly yes\nIdentityFile ~/.ssh/x\n', 'web'],
  ['IdentitiesOnly no\n', 'web'],
  ['IdentityAgent none\n', 'web'],
  ['IdentityAgent ~/agent.sock\n', 'web'],
  ['IdentityAgent SSH_AUTH_SOCK\n', 'web'],
  ['ProxyJump bastion\n', 'web'],
  ['ProxyJump a@one:2201,two\nHost web\n ProxyJump none\n', 'web'],
  ['Host web\n ProxyJump none\nHost *\n ProxyJump bastion\n', 'web', 'db'],
  ['ProxyCommand none\n', 'web'],
  ['Host web\n ProxyJump b\nHost *\n ProxyCommand nc %h %p\n', 'web'],
  ['UserKnownHostsFile /a /b\nGlobalKnownHostsFile /c\n', 'web'],
  ['UserKnownHostsFile ~/known\n', 'web'],
  ['UserKnownHostsFile /dev/null\nStrictHostKeyChecking no\n', 'web'],
  ['StrictHostKeyChecking accept-new\n', 'web'],
  ['StrictHostKeyChecking yes\n', 'web'],
  ['StrictHostKeyChecking ask\n', 'web'],
  ['StrictHostKeyChecking off\n', 'web'],
  ['ConnectTimeout 7\n', 'web'],
  ['ConnectTimeout 1m30s\n', 'web'],
  ['ServerAliveInterval 5\nServerAliveCountMax 2\n', 'web'],
  ['ServerAliveInterval 2m\n', 'web'],
  ['HostKeyAlias web-alias\n', 'web'],
  ['HashKnownHosts yes\n', 'web'],
  [`Include ${directory}/conf.d/*.conf\nUser last\n`, 'inc1', 'web'],
  [`Host inc1\n Include ${directory}/conf.d/b.conf\n Port 5\nUser last\n`, 'inc1', 'web'],
  [`Host web\n Include ${directory}/conf.d/a.conf\n Port 6\n`, 'inc1', 'web'],
  [`Include ${directory}/conf.d/a.conf ${directory}/conf.d/b.conf\n`, 'inc1', 'web'],
  [`Include ${directory}/missing/*\nUser x\n`, 'web'],
  [`Include ${directory}/co?f.d/[ab].conf\n`, 'inc1'],
  ['Match host web\n User matched\nMatch all\n User other\n', 'web', 'db'],
  ['Match exec "test %h = web"\n Port 4\n', 'web', 'db'],
  ['Match originalhost web user root\n HostName x\n', 'web'],
  ['User a\\\\b\n', 'web'],
  ['IdentityFile "/a\\"b"\n', 'web'],
  ['Host web\r\n User x\r\n', 'web'],
  ['ForwardAgent yes\nSendEnv LANG LC_*\nUser z\n', 'web'],
]

t.test('configurations mean what `ssh -G` says', async t => {
  for (const [config, ...hosts] of configs) for (const host of hosts) await compare(config, host, t)
})

t.test('random configurations mean what `ssh -G` says', async t => {
  const host = fc.constantFrom('web', 'db', 'web1', 'a.b')
  const pattern = fc.constantFrom('web', 'web*', '*', '!web', 'db', 'a.?', '!*1', '*.*')
  const directive = fc.constantFrom(
    'User one',
    'User two',
    'Port 1000',
    'Port 2000',
    'HostName h-%h',
    'HostName other',
    'IdentityFile /one',
    'IdentityFile /two-%h-%r',
    'ProxyJump one',
    'ProxyJump none',
    'ConnectTimeout 5',
    'ConnectTimeout 2m',
    'IdentitiesOnly yes',
    'StrictHostKeyChecking no',
    'StrictHostKeyChecking accept-new',
    `Include ${directory}/conf.d/a.conf`,
    `Include ${directory}/conf.d/b.conf`,
  )
  const block = fc
    .tuple(fc.array(pattern, { minLength: 1, maxLength: 2 }), fc.array(directive, { maxLength: 4 }))
    .map(([patterns, directives]) => [`Host ${patterns.join(' ')}`, ...directives.map(text => `  ${text}`)].join('\n'))
  const config = fc
    .tuple(fc.array(directive, { maxLength: 2 }), fc.array(block, { maxLength: 3 }))
    .map(parts => `${parts.flat().join('\n')}\n`)
  const same = (a: unknown, b: unknown, message: string) => {
    if (JSON.stringify(a) !== JSON.stringify(b))
      throw new Error(`${message}\n${JSON.stringify(a)}\n${JSON.stringify(b)}`)
  }
  await fc.assert(
    fc.asyncProperty(config, host, async (text, name) => await compare(text, name, { strictSame: same })),
    { numRuns: 150 },
  )
  t.pass()
})

t.test('ssh is asked only where it must be', async t => {
  t.notOk(needsSsh(parseSshConfig('Host a\nUser x\nCanonicalizeHostname no\n', 'c')))
  t.ok(needsSsh(parseSshConfig('Match host x\nUser y\n', 'c')))
  t.ok(needsSsh(parseSshConfig('CanonicalizeHostname yes\n', 'c')))
})

t.test('what was asked for wins', async t => {
  const directives = evaluate(parseSshConfig('User config\nPort 1\nHostName real\nConnectTimeout 3\n', 'c'), 'web')
  const hop = toHop(
    { name: 'web', port: 2, user: 'asked', privateKeyPath: '~/key' },
    directives,
    { connectTimeoutMs: 9 },
    '/home/me',
  )
  t.match(hop, { address: 'real', port: 2, user: 'asked', privateKeyPath: '/home/me/key', connectTimeoutMs: 9 })
  t.equal(
    toHop(
      { name: 'web', port: undefined, user: undefined, privateKeyPath: undefined },
      directives,
      { hostKeyChecking: 'off' },
      '/h',
    ).hostKeyChecking,
    'off',
  )
})

t.test('mistakes are named with file and line', async t => {
  t.throws(() => parseSshConfig('User x\nHost "open\n', 'c'), { code: 'invalid-config', message: /^c:2: / })
  t.throws(() => parseSshConfig('User\n', 'c'), { code: 'invalid-config', message: /c:1: User has no value/ })
  const directives = evaluate(parseSshConfig('ProxyCommand nc %h %p\n', 'c'), 'web')
  t.throws(() => proxyJump(directives, 'web'), { code: 'unsupported' })
  await t.rejects(readSshConfig({ path: join(directory, 'none'), home }), { code: 'invalid-config' })
  const config = join(directory, '.ssh', 'config')
  mkdirSync(join(directory, '.ssh'))
  writeFileSync(config, 'User x\n')
  chmodSync(config, 0o666)
  await t.rejects(readSshConfig({ path: undefined, home: directory }), {
    code: 'invalid-config',
    message: /written by others/,
  })
  t.strictSame(await readSshConfig({ path: 'none', home: directory }), [])
})
