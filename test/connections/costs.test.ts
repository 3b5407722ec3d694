/** What a check and an apply cost on the wire. Times are measured in bench/; these are counts, and a change for the worse fails. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import type { Task } from '../../src/core/task.ts'
import { applyLocked } from '../../src/engine/apply-locked.ts'
import { runHost, type Work } from '../../src/engine/host.ts'
import { look } from '../../src/engine/look.ts'
import { note } from '../engine/notes.ts'
import { keepingIn } from '../engine/shell.ts'
import { faultyOptions, startFaultyServer, tellHostKey } from './faulty-server.ts'

const folder = t.testdir({})
const names = Array.from({ length: 10 }, (_, index) => `${index}.conf`)
mkdirSync(join(folder, 'etc'))
for (const name of names) writeFileSync(join(folder, 'etc', name), `value of ${name}\n`)
const tasks = names.map(name =>
  note({ path: join(folder, 'etc', name), content: `value of ${name}\n` }, { label: name }),
)

// other tests apply on this machine at the same time; a short name, as that of the usual place, since its bytes count
const state = mkdtempSync('/tmp/sak-')
t.teardown(() => rmSync(state, { recursive: true }))

/** Works on the tasks over a server that runs what it is sent, and counts. */
async function count(tasks: readonly Task[], work: Work) {
  const counted = { logins: 0, channels: 0, sent: 0, received: 0, answer: 0 }
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
      child.stdout.on('data', ({ length }: Buffer) => {
        counted.answer += length
      })
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
  const options = faultyOptions({ connectTimeoutMs: 10_000, authTimeoutMs: 10_000 })
  const { report } = await runHost({ name: 'web1', tasks, work, deadlineMs: 60_000 }, async () =>
    keepingIn(state, await connect(server.target, options)),
  )
  return { ...counted, connections: server.seen.count, report }
}

async function check(files: number) {
  const { report, ...counted } = await count(tasks.slice(0, files), look('web1', { allow: 'data' }))
  t.match(report, { status: 'ok', error: null, roundTrips: 1 })
  return counted
}

t.test('a check of ten files is one connection, one login, one channel', async t => {
  const { connections, logins, channels } = await check(10)
  t.equal(connections, 1)
  t.equal(logins, 2, 'whether the key would do, and the signature')
  t.equal(channels, 1)
})

t.test('an apply of ten files is one connection, one login, and a channel for each trip', async t => {
  for (const name of names) writeFileSync(join(folder, 'etc', name), 'something else\n')
  const applying = applyLocked({ allow: 'data', runId: 'sak-test', waitSeconds: 0 })
  const { connections, logins, channels, report } = await count(tasks, applying)
  t.match(report, { status: 'changed', error: null })
  t.equal(connections, 1)
  t.equal(logins, 2)
  t.equal(channels, 1 + 1 + 10 + 1, 'the lock, the check, a transaction for each file, the verification')
  t.equal(report.roundTrips, channels)
})

t.test('bytes: a check is small, and a further file costs little more than its path and its content', async t => {
  const [one, ten] = [await check(1), await check(10)]
  const path = join(folder, 'etc', '0.conf').length
  const aFile = { sent: (ten.sent - one.sent) / 9, answer: (ten.answer - one.answer) / 9 }
  t.ok(aFile.sent <= path + 3, `sent for a further file: ${aFile.sent}, its path has ${path}`)
  t.ok(aFile.answer <= 2 * path + 130, `answered for a further file: ${aFile.answer}`)
  t.ok(one.sent <= path + 4850, `sent for one file: ${one.sent}`)
  t.ok(one.answer <= 2 * path + 570, `answered for one file: ${one.answer}`)
  // each piece in which an answer happens to come has an envelope of its own
  t.ok(one.received - one.answer <= 2600, `received around the answer: ${one.received - one.answer}`)
})
