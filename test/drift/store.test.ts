import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { CommitInput } from '../../src/drift/state.ts'
import { openStore, readHistory } from '../../src/drift/store.ts'

const at = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString()
const commitOf = (day: number): CommitInput => ({
  at: at(day),
  run: { id: `run-${day}`, mode: 'drift', at: at(day), durationMs: 1, exitCode: 0, hosts: {} },
})
const runsIn = async (folder: string) => (await readHistory(folder)).commits.map(({ run }) => run?.id)
const fileIn = (folder: string) => join(folder, readdirSync(folder).sort().at(-1) ?? '')

t.test('what is committed is read again, and who did not see the last commit does not write', async t => {
  const folder = join(t.testdir(), 'new', 'history')
  t.same(await readHistory(folder), { state: undefined, commits: [] })
  const store = await openStore(folder, at(1))
  await store.commit(commitOf(1))
  await (await openStore(folder, at(2))).commit(commitOf(2))
  t.same(await runsIn(folder), ['run-1', 'run-2'])
  await t.rejects(store.commit(commitOf(3)), { code: 'locked' })
  t.same(await runsIn(folder), ['run-1', 'run-2'])
})

t.test('a line that a killed writer did not end was never committed', async t => {
  const folder = t.testdir()
  await (await openStore(folder, at(1))).commit(commitOf(1))
  const whole = readFileSync(fileIn(folder), 'utf8')
  const next = '{"sum":"0123456789abcdef","format":1,"kind":"com'
  appendFileSync(fileIn(folder), next)
  t.same(await runsIn(folder), ['run-1'])
  t.equal(readFileSync(fileIn(folder), 'utf8'), whole + next, 'reading mends nothing')
  await (await openStore(folder, at(2))).commit(commitOf(2))
  t.same(await runsIn(folder), ['run-1', 'run-2'])
})

t.test('a history that is damaged or newer is refused, and left as it is', async t => {
  const secondLine = (text: string, change: (line: string) => string) => {
    const [first = '', second = '', ...rest] = text.split('\n')
    return [first, change(second), ...rest].join('\n')
  }
  const damages: Record<string, [(text: string) => string, string]> = {
    'a bit': [text => secondLine(text, line => line.replace('run-1', 'run-7')), 'history-broken'],
    'a line is gone': [text => secondLine(text, () => '').replace('\n\n', '\n'), 'history-broken'],
    'no JSON': [text => secondLine(text, () => 'rubbish'), 'history-broken'],
    'no first line': [text => text.slice(text.indexOf('\n') + 1), 'history-broken'],
    'a later version': [text => text.replaceAll('"format":1', '"format":2'), 'history-newer'],
  }
  for (const [name, [damage, code]] of Object.entries(damages)) {
    const folder = join(t.testdir(), name)
    const store = await openStore(folder, at(1))
    for (const day of [1, 2, 3]) await store.commit(commitOf(day))
    const damaged = damage(readFileSync(fileIn(folder), 'utf8'))
    writeFileSync(fileIn(folder), damaged)
    await t.rejects(openStore(folder, at(4)), { code, message: fileIn(folder), hint: /nothing was changed/ }, name)
    await t.rejects(readHistory(folder), { code })
    t.equal(readFileSync(fileIn(folder), 'utf8'), damaged)
  }
})

t.test('a month begins a new file, and what is too old goes; a clock that jumps makes nothing old', async t => {
  const folder = t.testdir()
  const keep = 60 * 86_400_000
  for (const day of [1, 20, 40, 70, 100, 101, 102]) {
    const store = await openStore(folder, at(day))
    await store.commit(commitOf(day))
    await store.prune(keep)
  }
  const kept = ['run-70', 'run-100', 'run-101', 'run-102']
  t.same(await runsIn(folder), kept, 'of 60 days, in whole files')
  const jumped = await openStore(folder, at(4000))
  await jumped.commit(commitOf(4000))
  await jumped.prune(keep)
  t.same(await runsIn(folder), [...kept, 'run-4000'])
  t.same(await readHistory(folder, at(3000)).then(({ commits }) => commits.at(-1)?.run?.id), 'run-4000')
})

t.test('writers at once that are killed at any moment lose nothing that they said was kept', async t => {
  const folder = t.testdir()
  const kept: string[] = []
  let count = 0
  const start = (): ChildProcess => {
    const program = fileURLToPath(new URL('writer.ts', import.meta.url))
    const flags = ['--conditions=sak-source', `--import=${import.meta.resolve('tsx')}`]
    const child = spawn(process.execPath, [...flags, program, folder, `w${count++}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    let text = ''
    child.stdout?.on('data', chunk => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      kept.push(...lines.map(line => line.replace('kept ', '')))
    })
    return child
  }
  const writers = [start(), start(), start()]
  let killed = 0
  for (const aim of [20, 60, 100, 140, 180]) {
    while (kept.length < aim) await sleep(5)
    await sleep(Math.random() * 20)
    const index = killed % writers.length
    writers[index]?.kill('SIGKILL')
    killed += 1
    writers[index] = start()
  }
  const ends = writers.map(writer => once(writer, 'close'))
  for (const writer of writers) writer.kill('SIGKILL')
  await Promise.all(ends)
  const runs = await runsIn(folder)
  t.equal(new Set(runs).size, runs.length, 'none twice')
  t.same(
    kept.filter(id => !runs.includes(id)),
    [],
  )
  t.ok(kept.length >= 180)
  await (await openStore(folder, at(1))).commit(commitOf(1))
})
