import { join } from 'node:path'
import t from 'tap'
import { sshLogin } from '../../src/connections/ssh-login.ts'
import { localUser } from '../../src/core/local-user.ts'

const target = { name: 'web1', address: 'web1', connection: 'ssh', become: false } as const

t.test('what ssh is left to decide, and whether its configuration does', async t => {
  const config = `
Host web1
  HostName 10.0.0.5
  User deploy
  Port 22
  ProxyJump ops@bastion:2200
`
  const home = t.testdir({ config })
  const found = await sshLogin(target, { sshConfigPath: join(home, 'config'), home })
  t.match(found, {
    address: { value: '10.0.0.5', from: 'ssh config' },
    port: { value: 22, from: 'ssh config' },
    user: { value: 'deploy', from: 'ssh config' },
    identityFiles: { from: 'default' },
    jump: { value: 'ops@bastion:2200', from: 'ssh config' },
  })
  t.same(await sshLogin(target, { sshConfigPath: 'none', home }), {
    address: { value: 'web1', from: 'default' },
    port: { value: 22, from: 'default' },
    user: { value: localUser().username, from: 'default' },
    identityFiles: {
      value: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map(name => join(home, '.ssh', name)),
      from: 'default',
    },
    jump: undefined,
  })
})

t.test('what only ssh itself can tell is said to be its answer', async t => {
  const home = t.testdir({ config: 'Match host web1\n  User deploy\n' })
  const found = await sshLogin(target, { sshConfigPath: join(home, 'config'), home })
  t.match(found, {
    address: { value: 'web1', from: 'default' },
    user: { value: 'deploy', from: 'ssh -G' },
    port: { value: 22, from: 'ssh -G' },
  })
})
