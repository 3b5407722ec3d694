/** What a check costs on the wire. Times are measured in bench/; these are counts, and a change for the worse fails. */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import { runHost } from '../../src/engine/host.ts'
import { look } from '../../src/engine/look.ts'
import { note } from '../engine/notes.ts'
import { faultyOptions, startFaultyServer, tellHostKey } from './faulty-server.ts'

const folder = t.testdir({})
const names = Array.from({ length: 10 }, (_, index) => `${index}.conf`)
mkdirSync(join(folder, 'etc'))
for (const name of names) writeFileSync(join(folder, 'etc', name), `value of ${name}\n`)
const tasks = names.map(name =>
  note({ path: join(folder, 'etc', name), content: `value of ${name}\n` }, { label: name }),
)

/** Checks the tasks over a server that runs what it is sent, and counts. */
async function check(count: number) {
  const counted = { logins: 0, channels: 0, sent: 0, received: 0 }
  const server = await startFaultyServer({
    auth: context => {
      counted.logins += 1
      context.accept()
    },
    session: (accept, _, { client }) => {
      counted.channels += 1
      tellHostKey(client) // ssh2 would have it proved, which the bytes show
      accept()
    },
    exec: ({ channel, command, socket }) => {
      const child = spawn('sh', ['-c', command])
      channel.pipe(child.stdin)
      child.stdout.pipe(channel, { end: false })
      child.stderr.pipe(channel.stderr)
      child.on('close', code => {
        channel.exit(code ?? 1)
        channel.end()
        counted.sent = socket.bytesRead
        counted.received = socket.bytesWritten
      })
    },
  })
  t.teardown(server.close)
  const about = { name: 'web1', work: look('web1', { allow: 'data' }), deadlineMs: 60_000 }
  const options = faultyOptions({ connectTimeoutMs: 10_000, authTimeoutMs: 10_000 })
  const { report } = await runHost({ ...about, tasks: tasks.slice(0, count) }, () => connect(server.target, options))
  t.match(report, { status: 'ok', error: null, roundTrips: 1 })
  return { ...counted, connections: server.seen.count }
}

t.test('a check of ten files is one connection, one login, one channel', async t => {
  const { connections, logins, channels } = await check(10)
  t.equal(connections, 1)
  t.equal(logins, 2, 'whether the key would do, and the signature')
  t.equal(channels, 1)
})

t.test('bytes: a check is small, and a further file costs little more than its path and its content', async t => {
  const [one, ten] = [await check(1), await check(10)]
  const path = join(folder, 'etc', '0.conf').length
  const aFile = { sent: (ten.sent - one.sent) / 9, received: (ten.received - one.received) / 9 }
  t.ok(aFile.sent <= path + 10, `sent for a further file: ${aFile.sent}, its path has ${path}`)
  t.ok(aFile.received <= 2 * path + 220, `received for a further file: ${aFile.received}`)
  t.ok(one.sent <= path + 5000, `sent for one file: ${one.sent}`)
  t.ok(one.received <= 2 * path + 3300, `received for one file: ${one.received}`)
})
