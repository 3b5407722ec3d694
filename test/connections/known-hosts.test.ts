import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  fingerprint,
  hostKeyAlgorithms,
  hostKeyName,
  judge,
  keyType,
  knownHostsLine,
  namesHost,
  parseKnownHosts,
} from '../../src/connections/known-hosts.ts'
import { appendKnownHost, readKnownHosts } from '../../src/connections/known-hosts-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'sak-known-hosts-'))
const keys = ['ed25519', 'ecdsa', 'rsa', 'ed25519'].map((type, index) => {
  const path = join(directory, `key${index}`)
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(type === 'rsa' ? ['-b', '2048'] : []),
    '-N',
    '',
    '-C',
    '',
    '-f',
    path,
  ])
  const [name = '', encoded = ''] = readFileSync(`${path}.pub`, 'utf8').trim().split(' ')
  return { path, line: `${name} ${encoded}`, key: Buffer.from(encoded, 'base64') }
})
const [one, ecdsa, rsa, two] = keys
if (one === undefined || ecdsa === undefined || rsa === undefined || two === undefined) throw new Error('no keys')

const verdict = (text: string, name: string, key: Buffer) => judge(parseKnownHosts(text, 'kh'), name, key)

t.test('a key is known, changed, revoked or unknown', async t => {
  t.match(verdict(`web ${one.line}`, 'web', one.key), { kind: 'known', entry: { file: 'kh', line: 1 } })
  t.match(verdict(`# note\n\nweb ${two.line}\n`, 'web', one.key), { kind: 'changed', entry: { line: 3 } })
  t.match(verdict(`web ${two.line}\nweb ${one.line}`, 'web', one.key), { kind: 'known', entry: { line: 2 } })
  t.match(verdict(`web ${rsa.line}`, 'web', one.key), { kind: 'changed' }, 'another type of key only')
  t.match(verdict(`web ${one.line}\n@revoked * ${one.line}`, 'web', one.key), { kind: 'revoked', entry: { line: 2 } })
  t.match(verdict(`@revoked web ${two.line}`, 'web', one.key), { kind: 'unknown' })
  t.match(verdict(`db ${one.line}`, 'web', one.key), { kind: 'unknown', authority: undefined })
  t.match(verdict(`@cert-authority *.example.org ${one.line}`, 'a.example.org', one.key), {
    kind: 'unknown',
    authority: { line: 1 },
  })
  t.match(verdict(`@cert-authority a ${one.line}\na ${two.line}`, 'a', two.key), { kind: 'known' })
})

t.test('lines that mean nothing are passed over', async t => {
  for (const line of [
    '',
    '#',
    'web',
    'web ssh-ed25519',
    'web ssh-ed25519 AAAA',
    `web ssh-rsa ${one.line.split(' ')[1]}`,
    `@other web ${one.line}`,
  ]) {
    t.strictSame(parseKnownHosts(line, 'kh'), [], line)
  }
  t.equal(parseKnownHosts(`\tweb,10.0.0.1\t${one.line} a comment\r\n`, 'kh').length, 1)
})

t.test('patterns, ports and hashes', async t => {
  t.ok(namesHost('web,10.0.0.1', '10.0.0.1'))
  t.ok(namesHost('*.example.org,!bad.example.org', 'good.example.org'))
  t.notOk(namesHost('*.example.org,!bad.example.org', 'bad.example.org'))
  t.ok(namesHost('[web]:2222', hostKeyName('WEB', 2222)))
  t.notOk(namesHost('web', hostKeyName('web', 2222)))
  t.ok(namesHost('WEB', 'web'))
  t.ok(namesHost('web?', 'web1'))
  const hashed = knownHostsLine('web', one.key, true)
  t.match(hashed, /^\|1\|/)
  t.match(verdict(hashed, 'web', one.key), { kind: 'known' })
  t.match(verdict(hashed, 'web2', one.key), { kind: 'unknown' })
})

t.test('a pattern full of stars does not blow up', async t => {
  const started = performance.now()
  t.notOk(namesHost(`${'*a'.repeat(200)}b`, 'a'.repeat(2000)))
  t.ok(performance.now() - started < 1000)
})

t.test('fingerprints and types are as ssh-keygen says', async t => {
  for (const { path, key } of keys) {
    const said = execFileSync('ssh-keygen', ['-l', '-f', `${path}.pub`], { encoding: 'utf8' })
    t.equal(fingerprint(key), said.split(' ')[1])
  }
  t.equal(keyType(one.key), 'ssh-ed25519')
  t.equal(keyType(Buffer.alloc(3)), undefined)
})

t.test('the algorithms of known keys are offered first, SHA-1 never', async t => {
  const offered = hostKeyAlgorithms(parseKnownHosts(`web ${rsa.line}\nweb ${ecdsa.line}`, 'kh'), 'web')
  t.strictSame(offered.slice(0, 3), ['ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'])
  t.notOk(offered.includes('ssh-rsa'))
  t.equal(hostKeyAlgorithms([], 'web')[0], 'ssh-ed25519')
})

t.test('lines are added whole, after a last line without its newline too', async t => {
  const file = join(directory, 'new', 'known_hosts')
  await appendKnownHost(file, 'a')
  writeFileSync(file, 'a\nb')
  await Promise.all(['c', 'd'].map(async line => await appendKnownHost(file, line)))
  t.match(readFileSync(file, 'utf8'), /^a\nb\n(c\n\n?d|d\n\n?c)\n$/)
  t.equal(statSync(join(directory, 'new')).mode & 0o777, 0o700)
  t.strictSame(await readKnownHosts([join(directory, 'none'), join(directory, 'new', 'known_hosts')]), [])
  await t.rejects(readKnownHosts([directory]), { code: 'invalid-config' })
})

t.test('random lines are judged as ssh-keygen -F judges them', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '1', '.', '-'), minLength: 1, maxLength: 4 })
  const name = fc.oneof(
    word,
    fc.tuple(word, fc.constantFrom(22, 2222)).map(([host, port]) => hostKeyName(host, port)),
  )
  const pattern = fc
    .tuple(
      fc.constantFrom('', '', '!'),
      fc.oneof(name, fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.', '1'), minLength: 1, maxLength: 4 })),
    )
    .map(([not, text]) => not + text)
  const hosts = fc.oneof(
    { weight: 4, arbitrary: fc.array(pattern, { minLength: 1, maxLength: 3 }).map(patterns => patterns.join(',')) },
    { weight: 1, arbitrary: name.map(text => knownHostsLine(text.toLowerCase(), one.key, true).split(' ')[0] ?? '') },
  )
  const line = fc
    .tuple(fc.constantFrom('', '', '', '@revoked ', '@cert-authority ', '# '), hosts, fc.constantFrom(...keys))
    .map(([marker, patterns, { line }]) => `${marker}${patterns} ${line}`)
  const file = join(directory, 'random')
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), name, (lines, asked) => {
      const host = asked.toLowerCase()
      writeFileSync(file, `${lines.join('\n')}\n`)
      const { stdout } = spawnSync('ssh-keygen', ['-F', host, '-f', file], { encoding: 'utf8' })
      const theirs = [...stdout.matchAll(/found: line (\d+)/g)].map(found => Number(found[1]))
      const ours = parseKnownHosts(lines.join('\n'), file).filter(entry => namesHost(entry.hosts, host))
      return JSON.stringify(ours.map(entry => entry.line)) === JSON.stringify(theirs)
    }),
    { numRuns: 400 },
  )
})
