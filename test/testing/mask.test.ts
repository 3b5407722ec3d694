import t from 'tap'
import { secret } from '../../src/core/secret.ts'
import { maskSecrets } from '../../src/testing/mask.ts'

const hides = (text: string) => maskSecrets({ text }).masked.text

t.test('what is a secret by its name or by its looks', async t => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl'
  for (const [text, expected] of [
    ['DB_PASSWORD=hunter22\nPORT=5000', 'DB_PASSWORD=masked-1\nPORT=5000'],
    ['{"apiKey":"a b\\"c","name":"x"}', '{"apiKey":"masked-1","name":"x"}'],
    ['"{\\"DB_PASSWORD\\":\\"hunter22\\",\\"A\\":1}"', '"{\\"DB_PASSWORD\\":\\"masked-1\\",\\"A\\":1}"'],
    ["  SESSION_SECRET: 'keyboard cat',", "  SESSION_SECRET: 'masked-1',"],
    ['//registry/:_authToken=abcdef', '//registry/:_authToken=masked-1'],
    ['postgres://shop:p4ss@db/shop', 'postgres://shop:masked-1@db/shop'],
    ['Authorization: Bearer abcd1234', 'Authorization: Bearer masked-1'],
    ['proxy_set_header Authorization "Basic dXNlcjpwYXNz";', 'proxy_set_header Authorization "Basic masked-1";'],
    [jwt, 'masked-1'],
    ['AKIAIOSFODNN7EXAMPLE', 'masked-1'],
    ['root:$6$abc$0123456789abcdef:1', 'root:masked-1:1'],
    [
      '-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY-----masked-1-----END PRIVATE KEY-----',
    ],
  ] as const) {
    t.equal(hides(text), expected)
  }
})

t.test('what is none', async t => {
  for (const text of [
    'PWD=/home/ubuntu\nOLDPWD=/var/www',
    '# Basic Settings\nserver_tokens off;\nproxy_cache_key "$scheme$host";\nkeys_zone=api_cache:10m',
    'password_encryption = scram-sha-256\nssl_key_file = /etc/ssl/private/x.pem',
    'token: true, secret = 0, DB_PASSWORD=$DB_PASSWORD',
    'https://example.com:8080/a@b',
  ]) {
    t.equal(hides(text), text)
  }
})

t.test('one secret has one word, wherever it stands', async t => {
  const { masked, count } = maskSecrets({
    params: { env: { DB_PASSWORD: 'x-hunter-22' } },
    said: ['login x-hunter-22', 'PASSWORD=x-hunter-22 TOKEN=other'],
  })
  t.same(masked, {
    params: { env: { DB_PASSWORD: 'masked-1' } },
    said: ['login masked-1', 'PASSWORD=masked-1 TOKEN=masked-2'],
  })
  t.equal(count, 2)
})

t.test("a playbook's own secrets", async t => {
  const token = String(secret.env('MASK_TEST'))
  const json = String(secret.env('MASK_TEST').as('json'))
  t.same(maskSecrets([`a ${token}`, json]).masked, ['a masked-1', 'masked-1'])
})
