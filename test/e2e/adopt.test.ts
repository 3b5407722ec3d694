/** `record --playbook` on a real host: what it writes is in sync on that host, and compiles. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commandLine } from '../cli/sak.ts'
import { compiles } from '../compiles.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)
const login = ['-i', 'hosts.json', '--host-key-checking', 'off']

/** The command line in a folder of the test's own. */
async function folderOf(t: Test) {
  const { cwd, run } = await commandLine(t, { 'hosts.json': JSON.stringify(inventoryOf([host])) })
  await writeFile(join(cwd, 'ssh_config'), '')
  return {
    run: (...args: string[]) => run(...args, ...login),
    async adopted() {
      const ran = await run('record', '--playbook', '-o', 'web.ts', ...login)
      t.equal(ran.code, 0, ran.stdout + ran.stderr)
      const code = await readFile(join(cwd, 'web.ts'), 'utf8')
      t.equal(await compiles(code), '', code)
      return { code, said: ran.stderr }
    },
    async staysInSync() {
      const ran = await run('web.ts', '--dry-run', ...login)
      t.equal(ran.code, 0, ran.stdout + ran.stderr)
    },
  }
}

t.test('a stock host', async t => {
  const folder = await folderOf(t)
  await host.exec('touch /tmp/mark; sleep 1.1', { root: true })
  const { code, said } = await folder.adopted()
  t.match(code, /\/\/ pgconf: no file of a conf\.d sets anything/)
  t.match(code, /\/\/ pm2eco: not adopted yet/)
  t.match(said, /^0 tasks: nothing of the host/m)
  t.equal(
    await host.output('find /etc /home /root /usr/local -newer /tmp/mark -type f ! -name "*.log"', { root: true }),
    '',
    'the host is as it was',
  )
  t.match(await folder.run('record', '--playbook', '-o', 'web.ts'), { code: 4, stderr: /none is overwritten/ })
})

t.test('a host that t3-small has converged', async t => {
  const folder = await folderOf(t)
  const ran = await folder.run('t3-small', '--yes', '--skip-tags', 'sysctl,swapfile')
  t.match(ran, { code: 0 }, ran.stdout + ran.stderr)
  const { code } = await folder.adopted()
  for (const module of ['pgconf', 'pm2logrotate', 'logrotate']) t.match(code, new RegExp(`^    ${module}\\(`, 'm'))
  await folder.staysInSync()
})

t.test('a host that was changed by hand', async t => {
  const folder = await folderOf(t)
  await host.exec(
    "sed -i 's/rotate .*/rotate 21/' /etc/logrotate.d/sak; echo 'work_mem = 5MB' >> /etc/postgresql/15/main/conf.d/60-sak.conf",
    { root: true },
  )
  const { code } = await folder.adopted()
  t.match(code, /^ {4}logrotate\([^/]*rotate: 21/m, 'what the params can say is taken as it is')
  t.match(code, /^ {4}\/\/ not in sync: saved differs/m)
  t.match(code, /^ {4}\/\/ pgconf\(/m)
  await folder.staysInSync()
})
