import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import type { ScriptOptions, Target } from '../../src/core/connection.ts'

const directory = mkdtempSync(join(tmpdir(), 'sak-local-'))
const here: Target = { name: 'localhost', address: 'localhost', connection: 'local', become: false }
const main = (body: string) => `main() {\n${body}\n}\nmain\n`

function alive(pid: string): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

async function run(body: string, options: Partial<ScriptOptions> = {}, target: Partial<Target> = {}) {
  const connection = await connect({ ...here, ...target })
  try {
    return await connection.run(main(body), { deadlineMs: 10_000, ...options })
  } finally {
    await connection.close()
  }
}

t.test('bytes, exit codes and signals come as they are', async t => {
  const { code, signal, stdout, stderr } = await run("printf '  \\000\\377 ü\\n\\n'; echo err >&2; exit 3")
  t.strictSame([code, signal], [3, null])
  t.ok(stdout.equals(Buffer.from([32, 32, 0, 255, 32, 0xc3, 0xbc, 10, 10])))
  t.equal(stderr.toString(), 'err\n')
  t.match(await run('kill -KILL $$'), { code: null, signal: 'SIGKILL' })
})

t.test('a script of megabytes, and an answer of megabytes', async t => {
  const text = 'x'.repeat(3_000_000)
  const { stdout } = await run(`cat <<'END'\n${text}\nEND`)
  t.equal(stdout.length, text.length + 1)
})

t.test('a script that does not read to its end, or that stops early', async t => {
  const connection = await connect(here)
  t.match(await connection.run(`exit 4\n${'# more\n'.repeat(100_000)}`, { deadlineMs: 5000 }), { code: 4 })
  t.match(await connection.run('exit 5', { deadlineMs: 5000 }), { code: 5 }, 'without a final newline')
  await connection.close()
})

t.test('as after a login: home directory, no stray environment', async t => {
  process.env.SAK_LEAK = 'leaked'
  const { stdout } = await run('pwd; env')
  t.equal(stdout.toString().split('\n')[0], userInfo().homedir)
  t.notMatch(stdout.toString().replaceAll(/^(_TAPJS|NODE_OPTIONS).*/gm, ''), /SAK_LEAK|npm_|node_modules/) // tap adds its own
})

t.test('a deadline ends the whole process group, and nobody else', async t => {
  const pidFile = join(directory, 'pids')
  const started = performance.now()
  await t.rejects(run(`echo before >&2; sleep 61 & echo $$ $! > ${pidFile}; wait`, { deadlineMs: 300 }), {
    code: 'timeout',
    said: 'before',
  })
  t.ok(performance.now() - started < 2000)
  await sleep(100)
  for (const pid of readFileSync(pidFile, 'utf8').trim().split(' ')) t.notOk(alive(pid), pid)
})

t.test('a script that does not listen is killed at last', async t => {
  const pidFile = join(directory, 'deaf')
  await t.rejects(
    run(`trap '' TERM HUP PIPE; echo $$ > ${pidFile}; while :; do sleep 0.1; done`, { deadlineMs: 300 }),
    { code: 'timeout' },
  )
  await sleep(2500)
  t.notOk(alive(readFileSync(pidFile, 'utf8').trim()))
})

t.test('giving up, and too much of an answer', async t => {
  await t.rejects(run('sleep 62', { signal: AbortSignal.timeout(50) }), { code: 'interrupted' })
  await t.rejects(run('echo x', { signal: AbortSignal.abort() }), { code: 'interrupted' })
  await t.rejects(run('cat /dev/zero', { maxBytes: 100_000 }), { code: 'answer-too-large' })
  await t.rejects(run('cat /dev/zero >&2', { maxBytes: 100_000 }), { code: 'answer-too-large' })
  t.match(await run('head -c 100000 /dev/zero', { maxBytes: 100_000 }), { code: 0 })
})

t.test('a daemon that keeps the output open does not hold us', async t => {
  const started = performance.now()
  const { code, stdout } = await run('echo done; sleep 8 & exit 0')
  t.strictSame([code, stdout.toString()], [0, 'done\n'])
  t.ok(performance.now() - started < 6000)
})

t.test('many scripts at once', async t => {
  const connection = await connect(here)
  const results = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => await connection.run(main(`echo ${i}`), { deadlineMs: 20_000 })),
  )
  t.strictSame(
    results.map(({ stdout }) => stdout.toString()),
    Array.from({ length: 30 }, (_, i) => `${i}\n`),
  )
  await connection.close()
})

t.test('a held script lives until it is released, other scripts run meanwhile', async t => {
  const connection = await connect(here)
  const file = join(directory, 'held')
  const held = await connection.hold(main(`echo before; echo held; cat >/dev/null; echo gone > ${file}`), {
    ready: 'held',
    deadlineMs: 5000,
  })
  t.equal(held.output.toString(), 'before\nheld\n')
  t.match(await connection.run(main('echo meanwhile'), { deadlineMs: 5000 }), { stdout: Buffer.from('meanwhile\n') })
  t.notOk(existsSync(file))
  await held.release()
  t.equal(readFileSync(file, 'utf8'), 'gone\n')
  const ended = await connection.hold(main('echo busy'), { ready: 'held', deadlineMs: 5000 })
  t.equal(ended.output.toString(), 'busy\n')
  await ended.release()
  await t.rejects(connection.hold(main('sleep 64'), { ready: 'held', deadlineMs: 200 }), { code: 'timeout' })
  await connection.close()
})

t.test('root becomes others by runuser', { skip: userInfo().uid !== 0 && 'needs root' }, async t => {
  const { stdout } = await run('id -un; echo $HOME', {}, { become: true, becomeUser: 'nobody' })
  t.equal(
    stdout.toString(),
    `nobody\n${execFileSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' }).split(':')[5]}\n`,
  )
  t.match(await run('id -u', {}, { become: true }), { stdout: Buffer.from('0\n') })
  await t.rejects(run('id', {}, { become: true, becomeUser: 'sak-nosuch' }), {
    code: 'become-failed',
    hint: /does not exist/,
  })
})
