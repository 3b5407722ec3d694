import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connectLocally } from '../../src/connections/local.ts'
import { run, type Step, write } from '../../src/core/step.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { lockHost } from '../../src/engine/host-lock.ts'
import { planHost } from '../../src/engine/plan-host.ts'
import { transactionScript } from '../../src/engine/transaction-script.ts'
import { keepingIn, keptIn } from './shell.ts'

const { uid, username } = userInfo()
const isRoot = uid === 0
// journals and locks of this test alone: other tests apply on this machine at the same time
const base = t.testdir({})
const own = (script: string) => keptIn(base, script)
const connection = () =>
  keepingIn(
    base,
    connectLocally(undefined, async () => undefined),
  )
const options = { runId: 'sak-test', waitSeconds: 0 }

/** Runs steps, and kills their script without warning while its last step runs: all that it started too, or only itself. */
async function interrupt(steps: readonly Step[], flag: string, { whole = true, last = 'sleep 300' } = {}) {
  const waiting = run(['sh', '-c', `touch "$1"; ${last}`, 'sh', flag], { undo: 'resumable', as: username })
  const script = transactionScript([...steps, waiting], 'n', { name: 'sak-test', tasks: ['a task', 'another'] })
  const child = spawn('dash', [], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.stdin.end(own(script))
  while (!existsSync(flag)) await sleep(20)
  const [journal = ''] = await readdir(join(base, 'transactions'))
  const [session = ''] = (await readFile(join(base, 'transactions', journal, 'session'), 'utf8')).split(' ')
  if (whole) execFileSync('pkill', ['-KILL', '--session', session])
  else process.kill(Number(session), 'SIGKILL')
  await new Promise(resolve => child.on('exit', resolve))
}

t.test('a lock holds until it is released, and says who holds it', async t => {
  const [one, two] = [connection(), connection()]
  const lock = await lockHost(one, { ...options, runId: 'first' })
  await t.rejects(lockHost(two, options), {
    code: 'locked',
    message: new RegExp(`run first of ${username}@.*, since 20`),
  })
  await lock.release()
  const again = await lockHost(two, options)
  await again.release()
  await Promise.all([one.close(), two.close()])
})

t.test('a lock ends with its connection', async t => {
  const [one, two] = [connection(), connection()]
  await lockHost(one, options)
  await one.close()
  const lock = await lockHost(two, { ...options, waitSeconds: 5 })
  t.ok(lock)
  await lock.release()
  await two.close()
})

t.test('what a killed script leaves is undone before the next apply', async t => {
  const folder = t.testdir({ file: 'before' })
  const file = join(folder, 'file')
  await chmod(file, 0o641)
  const undo = run(['sh', '-c', 'echo done >>"$1"', 'sh', join(folder, 'log')], {
    as: username,
    undo: [{ argv: ['sh', '-c', 'echo undone >>"$1"', 'sh', join(folder, 'log')], as: username }],
  })
  const steps = [write({ kind: 'file', path: file, content: 'after' }), undo]
  await interrupt(steps, join(folder, 'flag'))
  t.equal(await readFile(file, 'utf8'), 'after', 'half-way')

  const local = connection()
  if (isRoot) {
    const reader = batchReads(local, { deadlineMs: 60_000 })
    const plan = await planHost({ connection: local, freshReader: () => reader }, [], { allow: 'data' })
    t.match(plan.interrupted, [{ tasks: ['a task', 'another'] }], 'a dry run says so')
    t.equal(await readFile(file, 'utf8'), 'after', 'and changes nothing')
  }
  const lock = await lockHost(local, options)
  t.match(lock.recovered, [{ tasks: ['a task', 'another'] }])
  t.equal(await readFile(file, 'utf8'), 'before')
  t.equal(await readFile(join(folder, 'log'), 'utf8'), 'done\nundone\n')
  t.same((await readdir(folder)).sort(), ['file', 'flag', 'log'])
  t.same(
    (await readdir(join(base, 'transactions'))).filter(name => name.startsWith('sak-test')),
    [],
  )
  await lock.release()
  t.same((await lockHost(local, { ...options, waitSeconds: 5 })).recovered, [], 'once')
  await local.close()
})

t.test('what a killed script left running comes to its end before anything is undone', async t => {
  const folder = t.testdir({ file: 'before' })
  const file = join(folder, 'file')
  const last = `sleep 2; echo late >'${file}'; exec >/dev/null 2>&1; sleep 1; echo later >'${file}'`
  const others = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => others.kill())
  await interrupt([write({ kind: 'file', path: file, content: 'after' })], join(folder, 'flag'), { whole: false, last })
  const local = connection()
  const lock = await lockHost(local, options)
  t.match(lock.recovered, [{ tasks: ['a task', 'another'] }])
  await sleep(1500)
  t.equal(await readFile(file, 'utf8'), 'before')
  t.equal(others.exitCode ?? others.signalCode, null, 'nobody else is ended')
  await lock.release()
  await local.close()
})

t.test('what does not end within the time of its step is ended', async t => {
  const folder = t.testdir({})
  const pid = join(folder, 'pid')
  const deaf = `trap : TERM; echo $$ >'${pid}'; while :; do sleep 1; done`
  await interrupt([], join(folder, 'flag'), { whole: false, last: deaf })
  const [journal = ''] = await readdir(join(base, 'transactions'))
  const note = join(base, 'transactions', journal, 'session')
  await writeFile(note, (await readFile(note, 'utf8')).replace(/\d+$/m, '1'))
  const local = connection()
  const lock = await lockHost(local, options)
  t.match(lock.recovered, [{ tasks: ['a task', 'another'] }])
  const left = `/proc/${(await readFile(pid, 'utf8')).trim()}/stat`
  t.ok(!existsSync(left) || / Z /.test(readFileSync(left, 'utf8')), 'it runs no more')
  await lock.release()
  await local.close()
})

t.test('a session that has the number of one that is gone is left alone', async t => {
  const journal = join(base, 'transactions/sak-test.other')
  const other = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
  t.teardown(() => other.kill())
  await mkdir(journal, { recursive: true })
  await writeFile(join(journal, 'session'), `${other.pid} 0\n`)
  await writeFile(join(journal, 'state'), 'applying\n')
  await writeFile(join(journal, 'task'), 'a task\n')
  await writeFile(join(journal, 'script'), 'rm -rf "$2"\n')
  const local = connection()
  const lock = await lockHost(local, options)
  t.match(lock.recovered, [{ tasks: ['a task'] }])
  t.equal(other.exitCode ?? other.signalCode, null)
  await lock.release()
  await local.close()
})

t.test('an orphaned script keeps others out until it has ended', async t => {
  const folder = t.testdir({})
  const flag = join(folder, 'flag')
  const slow = run(['sh', '-c', 'touch "$1"; sleep 2', 'sh', flag], { undo: 'resumable', as: username })
  const script = transactionScript([slow], 'n', { name: 'sak-test', tasks: ['a slow task'] })
  const orphan = spawn('dash', [], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  orphan.stdin.end(own(script))
  while (!existsSync(flag)) await sleep(20)
  const local = connection()
  await t.rejects(lockHost(local, options), { code: 'locked', message: /a slow task/ })
  const lock = await lockHost(local, { ...options, waitSeconds: 20 })
  t.same(lock.recovered, [], 'it came to its end')
  await lock.release()
  await local.close()
})

t.test('where undoing fails nothing else is done, and the journal is named', async t => {
  const folder = t.testdir({})
  const undoFails = run(['true'], { undo: [{ argv: ['sh', '-c', 'echo broken; exit 1'], as: username }], as: username })
  await interrupt([undoFails], join(folder, 'flag'))
  t.teardown(() => rm(join(base, 'transactions'), { recursive: true }))
  const local = connection()
  await t.rejects(lockHost(local, options), { code: 'interrupted', hint: /transactions\/sak-test/, said: /broken/ })
  await t.rejects(lockHost(local, { ...options, waitSeconds: 5 }), { code: 'interrupted' }, 'every time')
  await local.close()
})

t.test('a dry run of a user who is not root passes the journals by', { skip: !isRoot && 'needs root' }, async t => {
  await mkdir(join(base, 'transactions'), { recursive: true })
  const { shellConnection } = await import('./shell.ts')
  const nobody = shellConnection(['runuser', '-u', 'nobody', '--', 'env', 'HOME=/tmp', 'dash'])
  const reader = batchReads(nobody, { deadlineMs: 60_000 })
  t.same(await planHost({ connection: nobody, freshReader: () => reader }, [], { allow: 'data' }), {
    results: [],
    interrupted: [],
    budget: undefined,
    advised: { advice: [], silenced: [] },
    machineId: (await readFile('/etc/machine-id', 'utf8')).trim(),
  })
})
