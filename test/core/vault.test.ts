import fc from 'fast-check'
import t from 'tap'
import { secret, secretsIn } from '../../src/core/secret.ts'
import { formsOf, isTooCommon } from '../../src/core/secret-forms.ts'
import { noSecrets, openVault } from '../../src/core/vault.ts'

const password = secret.env('SAK_VAULT_PASSWORD')
const other = secret.env('SAK_VAULT_OTHER')
const idOf = (text: unknown) => [...secretsIn(String(text))][0] ?? -1
const vaultOf = (value: string, second = 'another-Secret-1') =>
  openVault(
    new Map([
      [idOf(password), value],
      [idOf(other), second],
    ]),
  )

const nasty = `it's "n0t"\\ $HOME/%41+é\nsecond line: 5kYqLpX2`

t.test('what is written comes back as it was written, in every encoding', async t => {
  for (const value of ['simple-S3cret', nasty]) {
    const { reveal, settle, mask } = vaultOf(value)
    t.equal(reveal(`a=${password};`), `a=${value};`)
    t.equal(reveal(`"${password.as('json')}"`), JSON.stringify(value))
    t.equal(reveal(`${password.as('url')}`), encodeURIComponent(value))
    t.equal(reveal(`${password.as('base64')}`), Buffer.from(value).toString('base64'))
    t.equal(reveal(`'${password.as('shell')}'`), `'${value.replaceAll("'", "'\\''")}'`)
    for (const token of [password, password.as('json'), password.as('shell')]) {
      t.equal(settle(`x ${token}`), mask(reveal(`x ${token}`)), 'desired has the token that current has')
    }
  }
})

t.test('a host cannot say a secret without its being masked, nor masked what it did not say', async t => {
  const { mask, reveal, hide } = vaultOf(nasty, 'S3cret-word-for-tests')
  for (const { name, text } of [...formsOf(nasty), ...formsOf('S3cret-word-for-tests')]) {
    const said = `before ${text} after`
    t.notMatch(mask(said), text, name)
    t.equal(reveal(mask(said)), said, `${name} comes back byte for byte`)
    t.match(hide(said), /^before <secret env SAK_VAULT_\w+> after$/s, name)
  }
})

t.test('reveal undoes mask, whatever the text', async t => {
  const { mask, reveal } = vaultOf(nasty, 'abcabcAb')
  const pieces = fc.oneof(
    fc.string(),
    fc.constantFrom(...formsOf(nasty), ...formsOf('abcabcAb')).map(form => form.text),
  )
  const holds = fc.property(fc.array(pieces), texts => reveal(mask(texts.join(''))) === texts.join(''))
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('base64 hides a secret wherever it stands in it, also wrapped', async t => {
  const value = 'Correct-Horse-77'
  const { hide } = vaultOf(value)
  for (const before of ['', 'u', 'us', 'user:', 'a long user name:']) {
    const base64 = Buffer.from(`${before}${value}\n`).toString('base64')
    t.match(hide(base64), '<secret env SAK_VAULT_PASSWORD>', before)
    const wrapped = base64.replace(/.{7}/g, '$&\n+')
    t.match(hide(wrapped), '<secret env SAK_VAULT_PASSWORD>', `${before} wrapped`)
  }
})

t.test('what a host said may be cut within a secret', async t => {
  const { hide } = vaultOf('Correct-Horse-Battery-77')
  t.same(hide({ said: 'Battery-77 is wrong', message: 'Battery-77' }), {
    said: '<secret env SAK_VAULT_PASSWORD> is wrong',
    message: 'Battery-77',
  })
  t.same(hide({ said: 'wrong: Correct-Horse…' }), { said: 'wrong: <secret env SAK_VAULT_PASSWORD>' })
})

t.test('two secrets of one value, and one within another', async t => {
  const { settle, mask } = vaultOf('Same-Value-1', 'Same-Value-1')
  t.equal(settle(`${other}`), settle(`${password}`))
  t.equal(mask('Same-Value-1'), settle(`${other}`))
  const nested = vaultOf('inner-Value-1', 'postgres://u:inner-Value-1@db')
  t.equal(nested.settle(`postgres://u:${password}@db`), nested.mask('postgres://u:inner-Value-1@db'))
})

t.test('what cannot be written is refused, by name', async t => {
  const { reveal } = vaultOf('two\nlines-of-Text')
  t.throws(() => reveal(`${password.as('line')}`), {
    code: 'refused',
    message: /env SAK_VAULT_PASSWORD has a line break/,
  })
  t.throws(() => reveal(`${password}`.toUpperCase()), { code: 'refused', message: /was changed/ })
  for (const before of ['', 'a', 'ab']) {
    const encoded = Buffer.from(`${before}${password}`).toString('base64')
    t.throws(() => reveal(encoded), { code: 'refused', hint: /as\('base64'\)/ })
    t.throws(() => noSecrets.reveal(encoded), { code: 'refused' })
  }
  t.throws(() => reveal(`${secret.env('SAK_VAULT_UNKNOWN')}`), { message: /env SAK_VAULT_UNKNOWN is not one/ })
  t.throws(() => noSecrets.reveal(`${password}`), { code: 'refused' })
})

t.test('values that stand elsewhere by chance', async t => {
  for (const value of ['short', 'postgres', 'Production', 'localhost', '127.0.0.1:5432', 'xxxxxxxx'])
    t.ok(isTooCommon(value), value)
  for (const value of ['abcdefg1', 'correcthorsebatterystaple', 'S3cret-word']) t.notOk(isTooCommon(value), value)
})

t.test('plain data that holds no secret stays what it is', async t => {
  const { settle, hide } = vaultOf(nasty)
  const data = { list: ['a', { b: 1 }], when: new Date(0), error: new Error('x') }
  t.equal(settle(data), data)
  t.equal(hide(data), data)
})
