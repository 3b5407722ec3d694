import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import type { ConnectOptions, HostKeyChecking } from '../../src/core/connect-options.ts'
import { answering, faultyOptions, hostKey, startFaultyServer } from './faulty-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'sak-host-key-'))
const otherKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
let files = 0

/** Connects with known_hosts lines in which PORT stands for the server's port, and KEY for its key. */
async function meet(lines: string, hostKeyChecking: HostKeyChecking | undefined, config = '') {
  const server = await startFaultyServer(answering('hello\n'))
  t.teardown(server.close)
  const file = join(directory, `known_hosts_${files++}`)
  writeFileSync(file, lines.replaceAll('PORT', String(server.port)).replaceAll('KEY', hostKey))
  const said: string[] = []
  const known = `UserKnownHostsFile ${file}\n${config}`
  const options: ConnectOptions = faultyOptions({ hostKeyChecking, warn: text => void said.push(text) }, known)
  const reach = async () => await (await connect(server.target, options)).close()
  return { server, file, said, reach, text: () => readFileSync(file, 'utf8') }
}

t.test('a known key lets us in, quietly', async t => {
  for (const line of [
    '[127.0.0.1]:PORT KEY',
    '127.0.0.1 KEY',
    '* KEY',
    '[*]:PORT KEY',
    `[127.0.0.1]:PORT ${otherKey}\n[127.0.0.1]:PORT KEY`,
  ]) {
    const { reach, said } = await meet(`${line}\n`, 'strict')
    await reach()
    t.strictSame(said, [], line)
  }
})

t.test('an unknown key is refused with its fingerprint and the command that accepts it', async t => {
  const { server, file, reach, text } = await meet('', 'strict')
  await t.rejects(reach(), {
    code: 'host-key-unknown',
    message: /ssh-ed25519 SHA256:[\w+/]{43}/,
    hint: new RegExp(`ssh-keyscan -t ed25519 -p ${server.port} 127\\.0\\.0\\.1 >> ${file}`),
  })
  t.equal(text(), '')
  await t.rejects((await meet('', undefined)).reach(), { code: 'host-key-unknown' }, 'strict is the default')
})

t.test('a changed key is refused with file, line and the command that forgets it, by accept-new too', async t => {
  for (const checking of ['strict', 'accept-new'] as const) {
    const { server, file, reach } = await meet(`# note\n[127.0.0.1]:PORT ${otherKey}\n`, checking)
    await t.rejects(reach(), {
      code: 'host-key-changed',
      message: `${file}:2`,
      hint: `ssh-keygen -f ${file} -R '[127.0.0.1]:${server.port}'`,
    })
  }
})

t.test('a revoked key is refused', async t => {
  const { file, reach } = await meet('[127.0.0.1]:PORT KEY\n@revoked * KEY\n', 'accept-new')
  await t.rejects(reach(), { code: 'host-key-revoked', message: `${file}:2` })
})

t.test('a certificate authority is not taken for a key, and that is said', async t => {
  const { reach, file } = await meet(`@cert-authority [127.0.0.1]:PORT ${otherKey}\n`, 'strict')
  await t.rejects(reach(), { code: 'host-key-unknown', message: `${file}:1 trusts a certificate authority` })
})

t.test('accept-new writes the key down, says so, and knows it from then on', async t => {
  const { server, file, said, reach, text } = await meet('other KEY', 'accept-new')
  await Promise.all([reach(), reach()])
  t.match(text(), new RegExp(`^other .*\n\\[127\\.0\\.0\\.1\\]:${server.port} ssh-ed25519 \\S+\n$`))
  t.match(said, [/SHA256:.*accepted/])
  t.equal(said.length, 1)
  t.equal(statSync(file).mode & 0o002, 0)
  const hashed = await meet('', 'accept-new', 'HashKnownHosts yes\n')
  await hashed.reach()
  t.match(hashed.text(), /^\|1\|\S+ ssh-ed25519 \S+\n$/)
  await hashed.reach()
})

t.test('ssh_config may ask for less, and the option wins over it', async t => {
  const asked = await meet('', undefined, 'StrictHostKeyChecking accept-new\n')
  await asked.reach()
  t.match(asked.text(), /ssh-ed25519/)
  await t.rejects((await meet('', 'strict', 'StrictHostKeyChecking no\n')).reach(), { code: 'host-key-unknown' })
  const alias = await meet('web-alias KEY\n', 'strict', 'HostKeyAlias web-alias\n')
  await alias.reach()
})

t.test('off takes any key, writes nothing, and says so on every run', async t => {
  const { reach, said, text } = await meet('', 'off')
  await reach()
  await reach()
  t.equal(said.length, 1)
  t.match(said[0], /checking is off/)
  t.equal(text(), '')
})
