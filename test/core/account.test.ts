import t from 'tap'
import { parseAccounts, parseGroups, readAccount } from '../../src/core/account.ts'
import { fakeHost } from '../../src/testing.ts'

const passwd =
  'root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1001:,,,:/home/ubuntu/:/bin/sh\nno:x:1\n# a comment\n+::::::\n'

t.test('lines of the files', async t => {
  t.same(parseAccounts(passwd), [
    { name: 'root', uid: 0, gid: 0, comment: 'root', home: '/root', shell: '/bin/bash' },
    { name: 'ubuntu', uid: 1000, gid: 1001, comment: ',,,', home: '/home/ubuntu', shell: '/bin/sh' },
  ])
  t.same(parseGroups('root:x:0:\nweb:x:1001:ubuntu,app\n+:::\nno'), [
    { name: 'root', gid: 0, members: [] },
    { name: 'web', gid: 1001, members: ['ubuntu', 'app'] },
  ])
  t.same([parseAccounts(null), parseGroups('')], [[], []])
})

t.test('the file counts first, then the other sources of names', async t => {
  const commands = [
    { argv: ['getent', 'passwd', 'ldap'], stdout: 'ldap:*:5000:5000::/home/ldap:/bin/sh\n' },
    { argv: ['getent', 'passwd', 'ubunt'], code: 2 },
  ]
  const host = fakeHost({ files: { '/etc/passwd': passwd }, commands })
  t.match(await readAccount(host, 'ubuntu'), { uid: 1000 })
  t.match(await readAccount(host, 'ldap'), { uid: 5000 })
  t.equal(await readAccount(host, 'ubunt'), undefined)
})

t.test('a name is that of a whole field, wherever its line stands', async t => {
  const account = (name: string, uid: number) => `${name}:x:${uid}:100::/home/${name}:/bin/sh`
  const text = ['webber', 'xweb', 'web', 'we'].map(account).join('\n')
  const host = fakeHost({ files: { '/etc/passwd': text }, commands: [{ argv: ['getent', 'passwd', 'x'], code: 2 }] })
  for (const [uid, name] of ['webber', 'xweb', 'web', 'we'].entries()) {
    t.match(await readAccount(host, name), { name, uid })
  }
  t.equal(await readAccount(host, 'x'), undefined, 'another field is no name')
})
