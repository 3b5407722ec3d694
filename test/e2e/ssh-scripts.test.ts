import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import type { ScriptOptions, Target } from '../../src/core/connection.ts'
import { startSshHosts } from './ssh-hosts.ts'
import { startProxy } from './ssh-proxy.ts'

const hosts = await startSshHosts()
t.teardown(async () => await hosts.stop())
const main = (body: string) => `main() {\n${body}\n}\nmain\n`

async function run(body: string, target: Target, options: Partial<ScriptOptions> = {}) {
  const connection = await connect(target, hosts.options())
  try {
    const { code, signal, stdout, stderr } = await connection.run(main(body), { deadlineMs: 15_000, ...options })
    return { code, signal, stdout: stdout.toString(), stderr: stderr.toString() }
  } finally {
    await connection.close()
  }
}

const plain = hosts.target('sak-plain')
const asRoot = (user: string, more: Partial<Target> = {}) => hosts.target(user, { become: true, ...more })
const withPassword = { becomePassword: hosts.password }

t.test('sudo, with and without a password, whatever the login shell', async t => {
  for (const user of ['nopass', 'pty']) {
    t.strictSame(
      await run('id -u; cat', asRoot(`sak-${user}`)),
      { code: 0, signal: null, stdout: '0\n', stderr: '' },
      user,
    )
  }
  for (const user of ['pass', 'fish', 'csh', 'nopass', 'pty']) {
    t.strictSame(
      await run('id -u; cat', asRoot(`sak-${user}`, withPassword)),
      { code: 0, signal: null, stdout: '0\n', stderr: '' },
      user,
    )
  }
  t.match(await run('id -u', asRoot('sak-noisy', withPassword)), { code: 0, stdout: /noise[\s\S]*0\n$/, stderr: '' })
  t.match(await run('id -un; pwd', asRoot('sak-nopass', { becomeUser: 'sak-dash' })), {
    stdout: 'sak-dash\n/home/sak-nopass\n',
  })
  t.match(await run('id -un; echo $HOME', asRoot('sak-own', { ...withPassword, becomeUser: 'sak-dash' })), {
    stdout: 'sak-dash\n/home/sak-dash\n',
  })
})

t.test('bytes pass sudo unchanged, both ways', async t => {
  const text = 'x'.repeat(200_000)
  for (const target of [asRoot('sak-pty'), asRoot('sak-pass', withPassword)]) {
    const { stdout } = await run(`cat <<'END'\n${text}\nEND\nprintf '\\004\\003\\r\\n'`, target)
    t.equal(stdout, `${text}\n\u0004\u0003\r\n`)
  }
})

t.test('what keeps us from becoming root is said', async t => {
  const cases: readonly (readonly [Target, RegExp])[] = [
    [asRoot('sak-pass'), /-K/],
    [asRoot('sak-untty', withPassword), /requiretty/],
    [asRoot('sak-untty'), /requiretty/],
    [asRoot('sak-plain', withPassword), /sudoers/],
    [asRoot('sak-nopass', { becomeUser: 'sak-nosuch' }), /does not exist/],
    [asRoot('sak-own', withPassword), /sudoers/],
  ]
  for (const [target, hint] of cases)
    await t.rejects(run('id', target), { code: 'become-failed', hint }, `${target.user}`)
})

t.test('a wrong password is tried once and fails at once', async t => {
  // PAM counts the passwords that it is given
  const count = '#!/bin/sh\n[ -z "$(tr -d "\\0")" ] || echo tried >> /run/tried\n'
  writeFileSync(join(hosts.directory, 'count'), count)
  hosts.inside(
    'sh',
    '-c',
    `cp ${hosts.directory}/count /run/count; chmod 755 /run/count; : > /run/tried; chmod 666 /run/tried
    cp /etc/pam.d/common-auth /run/common-auth
    sed -i 's/success=1/success=2/; /pam_deny/i auth optional pam_exec.so expose_authtok /run/count' /etc/pam.d/common-auth`,
  )
  const started = performance.now()
  const wrong = asRoot('sak-pass', { becomePassword: 'wrong' })
  await t.rejects(run('id', wrong), { code: 'become-failed', message: /refused the password/ })
  t.ok(performance.now() - started < 8000)
  await sleep(500)
  t.equal(hosts.inside('cat', '/run/tried'), 'tried\n')
  t.strictSame(hosts.processes(/^sudo/), [])
  hosts.inside('cp', '/run/common-auth', '/etc/pam.d/common-auth')
})

t.test('without sudo on the host', async t => {
  hosts.inside('mount', '--bind', '/dev/null', '/usr/bin/sudo')
  for (const user of ['nopass', 'fish', 'csh']) {
    await t.rejects(
      run('id', asRoot(`sak-${user}`, withPassword)),
      { code: 'become-failed', hint: /install sudo|try/ },
      user,
    )
  }
  hosts.inside('umount', '/usr/bin/sudo')
})

t.test('the password is nowhere but in sudo', async t => {
  const seen = await run(
    'tr "\\0" "\\n" < /proc/$PPID/cmdline; env; ps -eo args; cat /home/*/.bash_history 2>/dev/null',
    asRoot('sak-pass', withPassword),
  )
  t.equal(seen.code === 0 || seen.code === 1, true)
  t.notOk(seen.stdout.includes('staple'))
  t.notOk((await run('env', asRoot('sak-nopass', withPassword))).stderr.includes('staple'))
  t.equal(
    hosts
      .inside(
        'sh',
        '-c',
        `grep -rl staple /home /run /var/log ${hosts.directory} --exclude=password --exclude-dir=etc || true`,
      )
      .trim(),
    '',
  )
})

t.test('a deadline ends what runs on the host, where that is ours to end', async t => {
  await t.rejects(run('sleep 613', plain, { deadlineMs: 500 }), { code: 'timeout' })
  await sleep(300)
  t.strictSame(hosts.processes(/sleep 613/), [])
})

t.test("a full disk is the script's own to tell", async t => {
  hosts.inside('sh', '-c', 'mkdir -p /home/full; mount -t tmpfs -o size=64k,mode=777 tmpfs /home/full')
  const { code, stderr } = await run('head -c 100000 /dev/zero > /home/full/x', plain)
  t.not(code, 0)
  t.match(stderr, /No space left/)
})

t.test('a script that is cut on its way does not run at all', async t => {
  const proxy = await startProxy(hosts.port('main'), { cutAfterSent: 300_000 })
  const known = `HostKeyAlias [127.0.0.1]:${hosts.port('main')}\nInclude ${join(hosts.directory, 'config')}\n`
  writeFileSync(join(hosts.directory, 'config-proxy'), known)
  const options = hosts.options({ sshConfigPath: join(hosts.directory, 'config-proxy') })
  const connection = await connect({ ...plain, port: proxy.port }, options)
  const script = main(`touch /home/sak-plain/ran\n${'# padding\n'.repeat(100_000)}`)
  await t.rejects(connection.run(script, { deadlineMs: 10_000 }), { code: 'connection-lost' })
  await connection.close()
  await sleep(200)
  t.notMatch(hosts.inside('ls', '/home/sak-plain'), /ran/)
  await proxy.close()
})

t.test('cut or silent in the middle: an error for us, and the script goes on to its end', async t => {
  const options = hosts.options({ sshConfigPath: join(hosts.directory, 'config-proxy') })
  for (const user of ['plain', 'nopass']) {
    for (const fault of ['cut', 'stall'] as const) {
      const proxy = await startProxy(hosts.port('main'))
      const journal = `/run/journal-${user}-${fault}`
      hosts.inside('sh', '-c', `: > ${journal}; chmod 666 ${journal}`)
      const connection = await connect(
        { ...hosts.target(`sak-${user}`, { become: user === 'nopass' }), port: proxy.port },
        options,
      )
      const body = `trap '' HUP PIPE\nfor i in 1 2 3 4 5; do echo $i >> ${journal}; echo $i; sleep 0.3; done`
      const running = connection.run(main(body), { deadlineMs: fault === 'stall' ? 800 : 10_000 })
      setTimeout(() => proxy[fault](), 500)
      await t.rejects(running, { code: fault === 'cut' ? 'connection-lost' : 'timeout' }, `${user} ${fault}`)
      await connection.close()
      await sleep(1500)
      t.equal(hosts.inside('cat', journal), '1\n2\n3\n4\n5\n', `${user} ${fault}: the journal is whole`)
      await proxy.close()
    }
  }
})

t.test('over the local connection, as the users of the hosts', async t => {
  const local = (user: string, target: Partial<Target>, body: string) => {
    const program = `
      import { connect } from '/srv/src/connections/connect.ts'
      const host = { name: 'l', address: 'l', connection: 'local', become: true, ...JSON.parse(process.env.TARGET) }
      const show = value => console.log(JSON.stringify(value))
      connect(host).then(async connection => {
        await connection.run(process.env.SCRIPT, { deadlineMs: 8000 }).then(
          ({ code, stdout, stderr }) => show({ code, stdout: stdout.toString(), stderr: stderr.toString() }),
          ({ code, message, hint }) => show({ code, message, hint }))
        await connection.close()
      })`
    writeFileSync(join(hosts.directory, 'local.mts'), program)
    hosts.inside('cp', join(hosts.directory, 'local.mts'), '/run/local.mts')
    const environment = [
      `TARGET=${JSON.stringify(target)}`,
      `SCRIPT=${main(body)}`,
      `HOME=/home/${user}`,
      `PATH=${process.env.PATH}`,
    ]
    const node = [
      process.execPath,
      '--conditions=sak-source',
      '--import=/srv/node_modules/tsx/dist/esm/index.mjs',
      '/run/local.mts',
    ]
    return JSON.parse(
      hosts.inside(
        'setpriv',
        `--reuid=${user}`,
        `--regid=${user}`,
        '--init-groups',
        'env',
        '-i',
        ...environment,
        ...node,
      ),
    )
  }
  t.match(local('sak-nopass', {}, 'id -u'), { code: 0, stdout: '0\n', stderr: '' })
  t.match(local('sak-nopass', withPassword, 'id -u; cat'), { code: 0, stdout: '0\n', stderr: '' })
  t.match(local('sak-pass', withPassword, 'id -u; cat'), { code: 0, stdout: '0\n', stderr: '' })
  t.match(local('sak-pass', { becomePassword: 'wrong' }, 'id -u'), {
    code: 'become-failed',
    message: /refused the password/,
  })
  t.match(local('sak-pass', {}, 'id -u'), { code: 'become-failed', hint: /-K/ })
  t.match(local('sak-untty', {}, 'id -u'), { code: 'become-failed', hint: /requiretty/ })
  t.match(local('sak-plain', { become: false }, 'id -un; pwd'), { code: 0, stdout: 'sak-plain\n/home/sak-plain\n' })
})

t.test('a held script ends with its release, and with its connection', async t => {
  for (const target of [plain, asRoot('sak-pass', withPassword)]) {
    const connection = await connect(target, hosts.options())
    const script = main("trap '' HUP; echo held; exec 9</dev/null; cat >/dev/null; sleep 0.1")
    const held = await connection.hold(script, { ready: 'held', deadlineMs: 10_000 })
    t.match(held.output.toString(), /held\n/)
    t.match(await connection.run(main('echo meanwhile'), { deadlineMs: 10_000 }), { code: 0 })
    await held.release()
    await connection.hold(script, { ready: 'held', deadlineMs: 10_000 })
    await connection.close()
  }
})

t.test('nothing is left on the host', async t => {
  await sleep(300)
  t.strictSame(hosts.processes(/sshd: sak-|sh -s|^sudo/), [])
})
