import t from 'tap'
import { secret } from '../../src/core/secret.ts'
import { contentWithoutOldSecrets, withoutOldSecrets } from '../../src/engine/old-secrets.ts'

const token = String(secret.env('SAK_OLD_SECRET'))

t.test(
  'of a file that is to hold a secret only lines that stay are shown, and what stands before a secret',
  async t => {
    const after = `user = shop\npassword = ${token}\nport = 81\n`
    const before = 'user = shop\npassword = old\nport = 80\napi_key=older\n'
    t.equal(contentWithoutOldSecrets(before, after), 'user = shop\npassword = <not shown>\n<not shown>\n<not shown>\n')
    t.equal(contentWithoutOldSecrets(before, 'port = 81\n'), before, 'a file without secrets is shown whole')
    t.equal(contentWithoutOldSecrets(null, after), null)
  },
)

t.test('of other values what is to be a secret, and texts that are to go', async t => {
  t.same(
    withoutOldSecrets(
      { instances: 2, user: 'shop', 'env.PW': 'old', 'env.OLD': 'older', watch: true },
      { instances: 4, user: 'web', 'env.PW': token },
    ),
    { instances: 2, user: 'shop', 'env.PW': '<not shown>', 'env.OLD': '<not shown>', watch: true },
  )
  t.same(withoutOldSecrets(['a', { b: 'c' }], [token]), ['<not shown>', { b: '<not shown>' }])
  t.equal(withoutOldSecrets('old', 'new'), 'old')
  t.equal(withoutOldSecrets('', token), '', 'nothing is no secret')
})
