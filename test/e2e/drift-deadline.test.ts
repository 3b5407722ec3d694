/** The deadline of a whole `drift` and the wait before it, over real SSH: hosts that hang keep nobody from hearing of the others. */

import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { argv, sak, start } from '../cli/sak.ts'
import { startSshHosts } from './ssh-hosts.ts'

const playbook = `
import { defineModule, definePlaybook, write } from 'sak-reconcile'
import { z } from 'zod'
const note = defineModule({
  name: 'note', description: 'Keeps a note.', params: z.strictObject({ isStuck: z.boolean() }), impact: 'none', owns: () => ['/home/sak-plain/note'],
  check: async (host, { isStuck }) => {
    if (isStuck) await host.command(['sleep', '600'], { timeout: '15m' })
    return {
      current: { saved: await host.file('/home/sak-plain/note') },
      desired: { saved: { kind: 'file', path: '/home/sak-plain/note', content: 'hello' } },
    }
  },
  apply: ({ saved }) => [saved && write(saved.after)],
})
export default definePlaybook({ name: 'notes', tasks: (_, { name }) => [note({ isStuck: name === 'stuck' })] })
`

const Told = z.object({
  durationMs: z.number(),
  exitCode: z.number(),
  events: z.array(
    z.object({
      kind: z.string(),
      item: z.object({ host: z.string(), key: z.string(), message: z.string().optional() }),
    }),
  ),
})

t.test('drift with a deadline', async t => {
  const hosts = await startSshHosts()
  t.teardown(hosts.stop)
  const cwd = mkdtempSync(join(tmpdir(), 'sak-deadline-'))
  t.teardown(() => rmSync(cwd, { recursive: true }))
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const address = silent.address()
  const login = { address: '127.0.0.1', user: 'sak-plain', privateKeyPath: join(hosts.directory, 'id_ed25519') }
  const of = (port: number) => ({ ...login, port })
  const inventory = {
    hosts: {
      stuck: of(hosts.port('main')), // its check waits for a command that does not end
      silent: of(typeof address === 'object' ? (address?.port ?? 0) : 0), // accepts, and says nothing
      well: of(hosts.port('main')),
    },
  }
  writeFileSync(join(cwd, 'notes.mjs'), playbook)
  writeFileSync(join(cwd, 'hosts.json'), JSON.stringify(inventory))
  writeFileSync(join(cwd, 'sak.config.json'), JSON.stringify({ playbook: './notes.mjs', inventory: './hosts.json' }))
  hosts.inside('mkdir', join(cwd, '.ssh'))
  hosts.inside('cp', join(hosts.directory, 'known_hosts'), join(cwd, '.ssh/known_hosts'))

  const env = { XDG_STATE_HOME: join(cwd, 'state') }
  const look = async (...args: string[]) => {
    const { code, stdout, stderr } = await sak(['drift', '--json', ...args], { cwd, env })
    t.equal(stderr, '')
    const { events, ...run } = Told.parse(JSON.parse(stdout))
    t.equal(run.exitCode, code)
    return {
      ...run,
      events: events.map(({ kind, item }) => [kind, item.host, item.key, item.message].join(' ')).sort(),
    }
  }
  const late = 'the whole run did not finish within 4 s'

  t.test('hosts that hang are unreachable, and the others are told', async t => {
    const { durationMs, exitCode, events } = await look('--deadline', '4s')
    t.same(events, [`new silent unreachable ${late}`, `new stuck unreachable ${late}`, 'new well saved '])
    t.equal(exitCode, 6)
    t.ok(durationMs >= 3900 && durationMs < 14_000, `${durationMs} ms`) // for a banner alone it waits 15 s
  })

  t.test('a host that it did not come to is not in sync', async t => {
    const { exitCode, events } = await look('--deadline', '4s', '--forks', '1')
    t.equal(exitCode, 4)
    t.same(events, [
      `new silent not-started ${late}`,
      `new well not-started ${late}`,
      `resolved silent unreachable ${late}`,
    ])
  })

  t.test('once nothing hangs', async t => {
    writeFileSync(join(cwd, 'hosts.json'), JSON.stringify({ hosts: { well: inventory.hosts.well } }))
    const { exitCode, events } = await look('--deadline', '4s')
    t.equal(exitCode, 2, 'it differs as before')
    t.match(events, [/^resolved silent not-started/, /^resolved stuck unreachable/, /^resolved well not-started/])
  })

  t.test('the wait before it, and a run that is stopped: nothing is looked at, kept or told', async t => {
    const logins = () => readFileSync(join(hosts.directory, 'sshd-main.log'), 'utf8').split('Accepted').length
    const before = logins()
    const { child, ended } = start([...argv, 'drift', '--jitter', '10h', '-v'], { cwd, env })
    await sleep(8000)
    child.kill('SIGTERM')
    t.match(await ended, { code: 130, stdout: '', stderr: /interrupted: nothing of this run is kept\n$/ })
    t.equal(logins(), before)
    t.match(await sak(['drift', '--jitter', '1ms'], { cwd, env }), { code: 2, stdout: '', stderr: '' })
    t.equal(logins(), before + 1)
  })
})
