import t from 'tap'
import { becoming, launch, notReady } from '../../src/connections/become.ts'

t.test('nobody becomes who they are', async t => {
  t.equal(becoming('root', { become: true }), undefined)
  t.equal(becoming('me', { become: false, becomeUser: 'postgres' }), undefined)
  t.equal(becoming('me', { become: true, becomeUser: 'me' }), undefined)
  t.strictSame(becoming('me', { become: true }), { user: 'root', by: 'sudo' })
  t.strictSame(becoming('root', { become: true, becomeUser: 'postgres' }), { user: 'postgres', by: 'runuser' })
  for (const becomeUser of ['a b', '-u', '$(id)', "x'y", '']) {
    t.throws(() => becoming('me', { become: true, becomeUser }), { code: 'invalid-inventory' }, becomeUser)
  }
})

t.test('the command line never shows what is waited for', async t => {
  for (const mayAsk of [true, false]) {
    const { command, ready, prompt } = launch({ user: 'root', by: 'sudo' }, 'nonce1', mayAsk)
    t.notOk(command.includes(ready.trim()))
    t.notOk(prompt !== undefined && command.includes(prompt))
    t.equal(command.includes(' -n '), !mayAsk)
  }
})

t.test('one shell is enough where nobody asks for a password', async t => {
  const commands = [undefined, { user: 'root', by: 'sudo' }, { user: 'app', by: 'runuser' }] as const
  t.strictSame(
    commands.map(become => launch(become, 'nonce1', false).command),
    ['sh -s nonce1', 'sudo -H -n -u root -- sh -s nonce1', 'runuser -u app -- sh -s nonce1'],
  )
})

t.test('what sudo says becomes a hint', async t => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['sudo: a password is required', /--ask-become-pass/],
    ['sudo: sorry, you must have a tty to run sudo', /requiretty/],
    ['me is not in the sudoers file.', /sudoers/],
    ['sudo: unknown user nosuch', /does not exist/],
    ['sh: 1: sudo: not found', /install sudo/],
    ['bash: line 1: sudo: command not found', /install sudo/],
    ['fish: Unknown command: sudo', /install sudo/],
    ['sudo: Command not found.', /install sudo/],
    ['Entschuldigung', /try `sudo -u root true`/],
  ]
  for (const [said, hint] of cases) {
    t.match(notReady({ user: 'root', by: 'sudo' }, said), { code: 'become-failed', hint, said })
  }
  t.match(notReady(undefined, 'This account is currently not available.'), { code: 'connect-failed', hint: /nologin/ })
})
