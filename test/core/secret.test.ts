import t from 'tap'
import { z } from 'zod'
import {
  beforeSecret,
  escapeSecrets,
  holdsSecret,
  isSecret,
  orSecret,
  SecretString,
  secret,
  secretName,
  secretsIn,
  unescapeSecrets,
} from '../../src/core/secret.ts'

const password = secret.env('SAK_TEST_PASSWORD')

t.test('a secret is a word that survives templates, JSON and concatenation', async t => {
  const text = `postgres://shop:${password}@db/shop`
  t.match(text, /^postgres:\/\/shop:[a-z0-9_A-Z]+@db\/shop$/)
  t.equal(JSON.stringify({ password }), JSON.stringify({ password: String(password) }))
  t.equal(encodeURIComponent(`${password}`), String(password))
  t.ok(holdsSecret({ deep: [{ text }] }))
  t.notOk(holdsSecret({ deep: ['saksecret_0_raw_0000000000000000'] }), 'what nobody here made is no token')
  t.equal(beforeSecret(text), 'postgres://shop:')
})

t.test('the same source is the same secret, and has a name', async t => {
  t.equal(String(secret.env('SAK_TEST_PASSWORD')), String(password))
  t.not(String(secret.env('SAK_TEST_OTHER')), String(password))
  const names = [password, secret.file('db/password'), secret.command(['sops', '-d', 'x'.repeat(80)])]
    .flatMap(each => [...secretsIn(String(each))])
    .map(secretName)
  t.match(names, ['env SAK_TEST_PASSWORD', 'file db/password', /^command sops -d x+…$/])
})

t.test('params that accept secrets take text or a secret, and nothing else', async t => {
  t.equal(SecretString.parse(password), String(password))
  t.equal(SecretString.parse('plain'), 'plain')
  t.match(SecretString.safeParse(5).error?.issues, [{ message: /expected string/ }])
  const line = orSecret(z.string().regex(/^[^\n]*$/, { error: 'expected one line' }))
  t.match(
    line.safeParse('a\nb').error?.issues,
    [{ message: 'expected one line' }],
    'the schema still says what it wants',
  )
  t.match(z.string().safeParse(password).success, false, 'a param that does not accept them refuses them')
  t.match(z.toJSONSchema(z.object({ line }), { io: 'input', unrepresentable: 'any' }), { properties: { line: {} } })
})

t.test('secrets in text that was escaped are escaped in the same way, and taken out again', async t => {
  const text = escapeSecrets(JSON.stringify({ key: `a"${password}` }), 'json')
  t.equal(text, `{"key":"a\\"${password.as('json')}"}`)
  t.equal(unescapeSecrets(text, 'json'), `{"key":"a\\"${password}"}`)
  t.equal(escapeSecrets(`${password.as('url')}`, 'json'), `${password.as('url')}`, 'what is encoded stays as it is')
  t.ok(isSecret(password.as('url')))
})
