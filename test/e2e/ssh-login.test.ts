import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import type { ConnectOptions } from '../../src/core/connect-options.ts'
import type { Target } from '../../src/core/connection.ts'
import { startSshHosts } from './ssh-hosts.ts'

const hosts = await startSshHosts()
t.teardown(async () => await hosts.stop())
const path = (name: string) => join(hosts.directory, name)
const whoAmI = 'main() { id -un; }\nmain\n'

async function whoIs(target: Target, options: ConnectOptions = hosts.options()): Promise<string> {
  const connection = await connect(target, options)
  try {
    const { stdout } = await connection.run(whoAmI, { deadlineMs: 10_000 })
    return stdout.toString()
  } finally {
    await connection.close()
  }
}

/** The hosts's configuration with lines before it. */
function config(lines: string): ConnectOptions {
  const file = path(`config-${Math.random()}`)
  writeFileSync(file, `${lines}\nHost *\nInclude ${path('config')}\n`)
  return hosts.options({ sshConfigPath: file })
}

const plain = (more: Partial<Target> = {}, server: Parameters<typeof hosts.port>[0] = 'main') =>
  hosts.target('sak-plain', more, server)
const said = 'sak-plain\n'

t.test('keys of every kind', async t => {
  for (const type of ['ed25519', 'ecdsa', 'rsa'])
    t.equal(await whoIs(plain({ privateKeyPath: path(`id_${type}`) })), said, type)
})

t.test('an encrypted key: asked for once per run, and named when it stays shut', async t => {
  let asked = 0
  const passphrase = async () => {
    asked++
    return hosts.passphrase
  }
  const locked = plain({ privateKeyPath: path('id_locked') })
  const options = hosts.options({ passphrase })
  t.strictSame(await Promise.all([whoIs(locked, options), whoIs(locked, options)]), [said, said])
  t.equal(asked, 1)
  await t.rejects(whoIs(locked), {
    code: 'auth-failed',
    message: /id_locked \(it is encrypted and no passphrase was given\)/,
  })
  await t.rejects(whoIs(locked, hosts.options({ passphrase: async () => 'no' })), {
    code: 'auth-failed',
    message: /wrong passphrase/,
  })
})

t.test('a key file that is not there, is a public key, or is no key', async t => {
  writeFileSync(path('nonsense'), 'nonsense')
  await t.rejects(whoIs(plain({ privateKeyPath: path('nothing') })), {
    code: 'auth-failed',
    message: /there is no such file/,
  })
  await t.rejects(whoIs(plain({ privateKeyPath: path('nonsense') })), { code: 'auth-failed', message: /nonsense \(/ })
  await t.rejects(whoIs(plain({ privateKeyPath: path('id_rsa.pub') })), { code: 'auth-failed' })
})

t.test('passwords: plainly, by questions, after a key; wrong ones once', async t => {
  const { password } = hosts
  t.equal(await whoIs(plain({ password }, 'password')), said)
  t.equal(await whoIs(plain({ password: async () => password }, 'questions')), said)
  t.equal(await whoIs(plain({}, 'both'), hosts.options({ password: async () => password })), said)
  await t.rejects(whoIs(plain({ password: 'x' }, 'password')), {
    code: 'auth-failed',
    message: /tried .*password; the server takes password/,
  })
  await t.rejects(whoIs(plain({ password: 'x' }, 'questions')), {
    code: 'auth-failed',
    message: /tried .*keyboard-interactive/,
  })
  await t.rejects(whoIs(plain({}, 'password')), { code: 'auth-failed' })
  await t.rejects(whoIs(plain({ password }, 'nothing')), { code: 'auth-failed', message: /takes publickey/ })
})

t.test('the agent', async t => {
  const socket = path('agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  t.teardown(() => agent.kill())
  while (!existsSync(socket)) await sleep(20)
  const add = (...args: string[]) =>
    execFileSync('ssh-add', ['-q', ...args], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' })
  const bare = plain({ privateKeyPath: undefined })
  add(path('id_rsa'))
  t.equal(await whoIs(bare, config(`IdentityAgent ${socket}`)), said)

  add('-D')
  for (const index of [1, 2, 3]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(`wrong${index}`)])
    add(path(`wrong${index}`))
  }
  add(path('id_ed25519'))
  await t.rejects(
    whoIs(hosts.target('sak-plain', { privateKeyPath: undefined }, 'fewtries'), config(`IdentityAgent ${socket}`)),
    {
      code: 'auth-failed',
      hint: /IdentitiesOnly/,
    },
  )
  const only = config(`IdentityAgent ${socket}\nIdentitiesOnly yes\nIdentityFile ${path('only')}`)
  copyFileSync(path('id_ed25519.pub'), path('only.pub'))
  t.equal(
    await whoIs(hosts.target('sak-plain', { privateKeyPath: undefined }, 'fewtries'), only),
    said,
    'its public half is enough',
  )

  const server = createServer(() => {}).listen(path('deaf'))
  await once(server, 'listening')
  writeFileSync(path('gone'), '')
  for (const dead of ['gone', 'missing', 'deaf'])
    t.equal(await whoIs(plain(), config(`IdentityAgent ${path(dead)}`)), said, `${dead}: files still do`)
  await t.rejects(whoIs(bare, config(`IdentityAgent ${path('missing')}`)), {
    code: 'auth-failed',
    message: /the agent at .*missing/,
  })
  server.close()
})

t.test("an agent that holds a locked file's key serves it without a question", async t => {
  const socket = path('agent2')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  t.teardown(() => agent.kill())
  while (!existsSync(socket)) await sleep(20)
  const ask = path('askpass')
  writeFileSync(ask, `#!/bin/sh\necho '${hosts.passphrase}'\n`, { mode: 0o755 })
  const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force' }
  execFileSync('ssh-add', ['-q', path('id_locked')], { env, stdio: 'pipe' })
  t.equal(await whoIs(plain({ privateKeyPath: path('id_locked') }), config(`IdentityAgent ${socket}`)), said)
})

t.test('login shells and banners', async t => {
  for (const name of ['dash', 'fish', 'csh']) t.equal(await whoIs(hosts.target(`sak-${name}`)), `sak-${name}\n`)
  t.match(await whoIs(hosts.target('sak-noisy')), /noise on stdout[\s\S]*sak-noisy\n$/)
  t.equal(await whoIs(plain({}, 'chatty')), said)
  await t.rejects(whoIs(hosts.target('sak-nologin')), {
    code: 'connect-failed',
    hint: /nologin/,
    said: /not available/,
  })
  await t.rejects(whoIs(hosts.target('sak-forced')), {
    code: 'connect-failed',
    hint: /ForceCommand/,
    said: 'only this',
  })
})

t.test('no algorithm in common', async t => {
  await t.rejects(whoIs(plain({}, 'oldkex')), { code: 'connect-failed', message: /no matching key exchange/ })
})

t.test('through jump hosts', async t => {
  const at = (server: Parameters<typeof hosts.port>[0]) => `sak-dash@127.0.0.1:${hosts.port(server)}`
  const key = `IdentityFile ${path('id_ed25519')}`
  t.equal(await whoIs(plain(), { ...config(key), jump: at('chatty') }), said)
  t.equal(await whoIs(plain(), { ...config(key), jump: `${at('chatty')},${at('fewtries')}` }), said)
  t.equal(
    await whoIs(
      plain(),
      config(
        `${key}\nHost 127.0.0.1\nProxyJump ${at('chatty').replace('127.0.0.1', 'localhost')}\nHost localhost\nHostKeyAlias [127.0.0.1]:${hosts.port('chatty')}`,
      ),
    ),
    said,
  )
  await t.rejects(whoIs(plain(), { ...config(key), jump: at('unforwarding') }), {
    code: 'unreachable',
    hint: /AllowTcpForwarding/,
  })
  await t.rejects(whoIs(plain(), { ...config(key), jump: 'sak-dash@127.0.0.1:1' }), {
    code: 'unreachable',
    message: /^jump host 127.0.0.1: nothing listens/,
  })
  await t.rejects(whoIs(plain({ port: 1 }), { ...config(key), jump: at('chatty') }), {
    code: 'unreachable',
    message: /does not get through/,
  })
  await t.rejects(whoIs(plain(), { ...config(key), jump: at('nothing') }), {
    code: 'auth-failed',
    message: /^jump host/,
  })
})

t.test('many hosts through one jump host log in to it once', async t => {
  const options: ConnectOptions = {
    ...config(`IdentityFile ${path('id_ed25519')}`),
    jump: `sak-csh@127.0.0.1:${hosts.port('chatty')}`,
  }
  const connections = await Promise.all(
    Array.from({ length: 30 }, async () => await connect(plain({}, 'startups'), options)),
  )
  t.equal(hosts.processes(/sshd: sak-csh \[priv\]/).length, 1)
  const results = await Promise.all(
    connections.map(async connection => await connection.run(whoAmI, { deadlineMs: 20_000 })),
  )
  t.ok(results.every(({ stdout }) => stdout.toString() === said))
  await Promise.all(connections.map(async connection => await connection.close()))
  await sleep(200)
  t.strictSame(hosts.processes(/sshd: sak-csh \[priv\]/), [])
})

t.test('a burst of fifty logins to one sshd with its default MaxStartups', async t => {
  const options = hosts.options()
  const names = await Promise.all(Array.from({ length: 50 }, async () => await whoIs(plain({}, 'startups'), options)))
  t.ok(names.every(name => name === said))
})

t.test('more scripts at once than the host has sessions for', async t => {
  for (const server of ['onesession', 'main'] as const) {
    const connection = await connect(plain({}, server), hosts.options())
    const results = await Promise.all(
      Array.from({ length: 20 }, async () => await connection.run(whoAmI, { deadlineMs: 20_000 })),
    )
    t.ok(
      results.every(({ stdout }) => stdout.toString() === said),
      server,
    )
    await connection.close()
  }
})

t.test('nothing is left on the host', async t => {
  await sleep(300)
  t.strictSame(hosts.processes(/sshd: sak-|sh -s/), [])
  rmSync(path('only.pub'))
})
