import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { argv, commandLine, notes, sak } from './sak.ts'

const Drift = z.object({
  schema: z.literal('sak-reconcile/drift@1'),
  exitCode: z.number(),
  events: z.array(z.object({ kind: z.string(), by: z.string().optional() })),
  items: z.array(z.object({ task: z.string().nullable(), origin: z.string() })),
})

/** A project whose two notes are in sync, and a history that knows it. */
async function project(t: Test, config: object = {}) {
  const folder = t.testdir({ a: 'hello\n', b: 'hello\n' })
  const state = join(folder, 'state')
  const all = { playbook: './notes.ts', inventory: 'localhost,', vars: { folder }, ...config }
  const line = await commandLine(t, { 'notes.ts': notes, 'sak.config.json': JSON.stringify(all) })
  process.env.XDG_STATE_HOME = state
  const drift = (...args: string[]) => line.run('drift', ...args)
  const apply = (...args: string[]) => sak(['-y', ...args], { cwd: line.cwd, env: { XDG_STATE_HOME: state } })
  const put = (name: string, text: string) => writeFile(join(folder, name), text)
  const history = () => join(state, 'sak-reconcile', readdirSync(join(state, 'sak-reconcile')).find(isHistory) ?? '')
  return { ...line, folder, state, drift, apply, put, history }
}
const isHistory = (name: string) => name.startsWith('history-')

/** What a program was told, one message in each line. */
const eventsIn = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .flatMap(line => z.object({ events: z.array(z.unknown()) }).parse(JSON.parse(line)).events)

const silence = { stdout: '', stderr: '' }

t.test('drift says what has changed, and nothing where nothing has', async t => {
  const { drift, put, apply, run } = await project(t)
  t.match(await drift(), { code: 0, ...silence })
  await put('a', 'hello\nworld\n')
  const told = await drift()
  t.match(told, {
    code: 2,
    stdout:
      /^drift {4}localhost: first: saved \S+\/a {2}since .* UTC, the host was changed\n {2}---.*\n[\s\S]*-world\n$/,
    stderr: '',
  })
  t.match(await drift(), { code: 2, ...silence }, 'it was told')
  t.match(await drift('--all'), { code: 2, stdout: /^still {4}localhost: first[\s\S]*-world\n$/ })
  t.match(await drift('-v'), { code: 2, stderr: /1 thing is as it was told before: --all shows it\n$/ })
  await put('a', 'hello\n')
  t.match(await drift(), { code: 0, stdout: /^resolved localhost: first: saved \S+ {2}after \d+ s, not by us\n$/ })
  await put('b', 'bye\n')
  t.match(await drift('--json'), { code: 2, stderr: '' })
  t.match(await apply(), { code: 0 })
  t.match(await drift(), { code: 0, ...silence }, 'our own apply told what it did')
  t.match(await run('history', '--no-color'), {
    code: 0,
    stdout:
      /first: saved \S+ {2}not by us\n.*second: saved \S+ {2}our own apply\n\ntime to mend: .*\n\d+ runs, the last .*; 0 still there\n$/,
  })
  t.match(await run('history', '--task', 'second', '--json'), { stdout: /"by": "us"/ })
  t.notMatch(await run('history', '--task', 'second', '--json'), { stdout: /"task": "first"/ })
  t.match(await run('history', '--since', 'tomorrow'), { code: 1, stderr: /for example 7d/ })
})

t.test('machines get the same as JSON, and any report beside it', async t => {
  const { drift, put, folder } = await project(t)
  await drift()
  await put('a', 'x')
  const { stdout } = await drift('--json', '--report', `prometheus:${folder}/metrics`)
  t.match(Drift.parse(JSON.parse(stdout)), {
    exitCode: 2,
    events: [{ kind: 'new' }],
    items: [{ task: 'first', origin: 'host' }],
  })
  t.match(readFileSync(join(folder, 'metrics'), 'utf8'), /sak_reconcile/)
  t.match(await drift('--format', 'junit'), { code: 2, stdout: /<testsuite/ })
  await drift('--json', '-o', join(folder, 'out'))
  t.match(Drift.parse(JSON.parse(readFileSync(join(folder, 'out'), 'utf8'))), { events: [] })
})

t.test('a change of the playbook is told from one of the host', async t => {
  const { drift, put } = await project(t)
  await drift()
  t.match(await drift('-e', 'text="other\\n"'), {
    code: 2,
    stdout: /the playbook was changed[\s\S]*the playbook was changed/,
  })
  t.match(await drift(), { code: 0, stdout: /by a change of the playbook/ })
  await put('a', 'x')
  t.match(await drift(), { stdout: /the host was changed/ })
})

t.test('mending on a schedule has the same history, tells the same people, and has the same lock', async t => {
  const told = join(t.testdir(), 'told')
  const notify = [{ kind: 'command', argv: ['sh', '-c', 'cat >>"$1"; echo >>"$1"', 'sh', told] }]
  const { drift, put, apply, run, cwd, state } = await project(t, { drift: { notify } })
  await drift()
  await put('a', 'x')
  t.match(await apply('--allow', 'reload', '--quiet'), { code: 0, stderr: '' })
  t.match(eventsIn(told), [
    { kind: 'new', item: { task: 'first', origin: 'host' } },
    { kind: 'resolved', by: 'us', item: { task: 'first' } },
  ])
  t.match(await apply('--allow', 'reload', '--quiet'), { code: 0, ...silence }, 'and nothing where nothing was to mend')
  t.equal(eventsIn(told).length, 2)
  t.match(JSON.parse((await run('history', '--json')).stdout), {
    occurrences: [{ item: { task: 'first', origin: 'host' }, by: 'us' }],
  })
  await put('a', 'x')
  const [program = '', ...args] = [...argv, '-y', '-e', 'step=sleep 3']
  const slow = spawn(program, args, { cwd, env: { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: state } })
  t.teardown(() => slow.kill('SIGKILL'))
  while (
    !readdirSync(join(state, 'sak-reconcile', readdirSync(join(state, 'sak-reconcile')).find(isHistory) ?? '')).some(
      name => name.endsWith('.lock'),
    )
  )
    await sleep(20)
  t.match(await drift(), {
    code: 1,
    stdout: '',
    stderr: /^locked: another run is at work here: sak-reconcile apply, process \d+/,
  })
  await new Promise(resolve => slow.once('close', resolve))
  t.match(await drift(), { code: 0, ...silence })
})

t.test('a notifier that is down is told of once, and each run says so by its exit code', async t => {
  const notify = [{ kind: 'command', name: 'pager', argv: ['false'], tries: 1 }]
  const { drift, put } = await project(t, { drift: { notify } })
  t.match(await drift(), { code: 0, ...silence }, 'nothing was to be told')
  await put('a', 'x')
  t.match(await drift(), {
    code: 2,
    stdout: /failing {2}notifier pager/,
    stderr: /^warning: the notifier pager was not/,
  })
  await put('a', 'hello\n')
  t.match(await drift(), { code: 1, stdout: /^resolved localhost: first.*\n$/, stderr: '' })
  t.match(await drift(), { code: 1, ...silence }, 'cron sends no mail each time')
  t.match(await drift('--all'), { code: 1, stdout: /still {4}notifier pager[\s\S]*false ended with 1/ })
})

t.test('a rule silences the alarm, and the apply mends all the same', async t => {
  const { drift, put, apply, folder } = await project(t, {
    drift: { ignore: [{ task: 'first', reason: 'being tried' }] },
  })
  await drift()
  await put('a', 'x')
  t.match(await drift(), { code: 0, ...silence })
  await put('b', 'x')
  t.match(await drift(), { code: 2, stdout: /second/ })
  await apply()
  t.equal(readFileSync(join(folder, 'a'), 'utf8'), 'hello\n')
})

t.test('a damaged history is refused before any host is looked at, and an apply goes on without', async t => {
  const { drift, put, apply, run, history, folder } = await project(t)
  await drift()
  const file = join(history(), readdirSync(history())[0] ?? '')
  const damaged = `${readFileSync(file, 'utf8')}rubbish\n`
  writeFileSync(file, damaged)
  await put('a', 'x')
  const refused = await drift()
  t.match(refused, { code: 1, stdout: '', stderr: /history-broken: \S+, line \d: .*\n {2}hint: move the folder away/ })
  t.match(await apply(), { code: 0, stderr: /warning: .*the history is damaged/ })
  t.equal(readFileSync(join(folder, 'a'), 'utf8'), 'hello\n')
  t.equal(readFileSync(file, 'utf8'), damaged, 'as it was')
  const newer = damaged.replaceAll('"format":1', '"format":2')
  writeFileSync(file, newer)
  t.match(await drift(), {
    code: 1,
    stdout: '',
    stderr: /history-newer: .* written by a newer version.*\n {2}hint: run that/,
  })
  t.match(await run('history'), { code: 1, stdout: '', stderr: /history-newer: / })
  t.equal(readFileSync(file, 'utf8'), newer, 'as it was')
  await rm(history(), { recursive: true })
  t.match(await drift(), { code: 0 })
})

t.test('mistakes are told before anything is done', async t => {
  const wrong = { drift: { ignore: [{ task: '~(', reason: 'x' }] } }
  const { drift, run } = await project(t, wrong)
  t.match(await drift(), { code: 1, stderr: /The host pattern "~\(" is not a valid pattern/ })
  t.match(await drift('--jitter', 'soon'), {
    code: 1,
    stderr: /'--jitter <time>' argument 'soon' is invalid\. expected a time/,
  })
  t.match(await run('history', './other.ts'), { code: 1, stderr: /there is no history of this playbook yet/ })
})
