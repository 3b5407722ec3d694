import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Secret, secret, secretsIn } from '../../src/core/secret.ts'
import { openSecrets } from '../../src/loading/secrets.ts'

const open = async (...secrets: readonly Secret[]) => {
  const vault = await openSecrets(secrets.flatMap(each => [...secretsIn(String(each))]))
  return secrets.map(each => vault.reveal(String(each)))
}

t.test(
  'values come from the environment, from files and from programs, without the line breaks at their end',
  async t => {
    process.env.SAK_TEST_ENV = 'from-the-Env '
    const folder = t.testdir({ password: 'from-the-File\n', key: '-----BEGIN-----\nabc\n-----END-----\n\n' })
    const values = await open(
      secret.env('SAK_TEST_ENV'),
      secret.file(join(folder, 'password')),
      secret.file(join(folder, 'key')),
      secret.command(['sh', '-c', 'echo from-a-$(printf Program)']),
    )
    t.same(values, ['from-the-Env ', 'from-the-File', '-----BEGIN-----\nabc\n-----END-----', 'from-a-Program'])
  },
)

t.test('a program is asked once', async t => {
  const folder = t.testdir({})
  const counting = ['sh', '-c', 'echo x >>"$1"; echo counted-Secret', 'sh', join(folder, 'count')]
  await open(secret.command(counting), secret.command(counting))
  t.equal((await import('node:fs')).readFileSync(join(folder, 'count'), 'utf8'), 'x\n')
})

const fails = async (t: Test, asked: Secret, message: RegExp) => {
  await t.rejects(open(asked), { code: 'secret-unavailable', message }, String(message))
}

t.test('what cannot be had is said by name, and never by value', async t => {
  const folder = t.testdir({ empty: '\n' })
  await writeFile(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46]))
  await writeFile(join(folder, 'nul'), 'with\0nul-Secret')
  await fails(
    t,
    secret.env('SAK_TEST_UNSET'),
    /^the secret env SAK_TEST_UNSET: the environment variable .* is not set$/,
  )
  await fails(t, secret.file(join(folder, 'nowhere')), /^the secret file .*nowhere: cannot be read \(ENOENT\)$/)
  await fails(t, secret.file(join(folder, 'empty')), /is empty/)
  await fails(t, secret.file(join(folder, 'binary')), /is not UTF-8 text/)
  await fails(t, secret.file(join(folder, 'nul')), /has a NUL character/)
  await fails(t, secret.command(['sh', '-c', 'echo no key >&2; exit 3']), /^the secret command sh .*: exit 3: no key$/)
  await fails(t, secret.command(['sak-no-such-program']), /ENOENT/)
  await fails(t, secret.command(['sleep', '60'], { timeout: '100ms' }), /did not end within 100ms/)
  await fails(t, secret.command(['head', '-c', '70000', '/dev/zero']), /MAXBUFFER/)
  process.env.SAK_TEST_SHORT = 'postgres'
  await fails(t, secret.env('SAK_TEST_SHORT'), /^the secret env SAK_TEST_SHORT: is too easily guessed/)
})

t.test('a program that prints the secret as its error is not quoted', async t => {
  const leaking = secret.command(['sh', '-c', 'x=$(echo S3cret)-Canary; echo $x; echo "bad: $x" >&2; exit 1'])
  const error = await open(leaking).catch((thrown: unknown) => thrown)
  t.notMatch(String(error), 'S3cret-Canary')
})

t.test('everything that is missing is said at once', async t => {
  await t.rejects(open(secret.env('SAK_TEST_UNSET'), secret.file('/nowhere/at/all')), {
    message: /env SAK_TEST_UNSET.*\n.*file \/nowhere/,
    hint: 'no host was touched',
  })
})
