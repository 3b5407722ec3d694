/**
 * What it costs to keep a history of a year (a run each half hour) in files or in a database: each measure in a process of its own, as
 * runs are, in turn. Packages are installed in a temporary directory, without their install scripts.
 *
 *   npx tsx --conditions=sak-source bench/history.ts [rounds]
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CommitInput } from '../src/drift/state.ts'
import { type Candidate, candidates } from './history-stores.ts'

const halfHour = 1_800_000
const begin = Date.UTC(2026, 0, 1)
const year = 17_520
const weekAgo = new Date(begin + (year - 336) * halfHour).toISOString()
const diff = `--- /etc/x\n+++ /etc/x\n${Array.from({ length: 20 }, (_, line) => `${'-+ '[line % 3]}setting_${line} = 1\n`).join('')}`

/** A run; with each tenth something drifts, which the third after that finds gone. */
function commitOf(n: number, id = `run-${n}`): CommitInput {
  const at = new Date(begin + n * halfHour).toISOString()
  const run = { id, mode: 'drift' as const, at, durationMs: 900, exitCode: 0, hosts: { ok: 10 } }
  const item = (from: number) => ({
    id: `item-${from}`,
    place: 'a1b2c3d4a1b2c3d4',
    fingerprint: 'a1b2c3d4a1b2c3d4',
    subject: 'drift' as const,
    host: `web${from % 10}`,
    task: 'sysctl',
    key: 'saved',
    path: '/etc/x',
    change: { before: 'a', after: 'b', diff },
    origin: 'host' as const,
    firstSeen: at,
    lastSeen: at,
    valueSince: at,
    times: 1,
    reported: true,
  })
  const event = (kind: 'new' | 'resolved', from: number) => ({
    id: `${kind}-${from}`,
    kind,
    at,
    run: id,
    item: item(from),
  })
  if (n % 10 === 0) return { at, run, items: [item(n)], events: [event('new', n)] }
  if (n % 10 === 3) return { at, run, closed: [`item-${n - 3}`], events: [event('resolved', n - 3)] }
  return { at, run }
}

/** One measure, in a process of its own: prints milliseconds. */
async function child([name = '', what = '', folder = '', packages = '', n = '0']: readonly string[]): Promise<void> {
  const { open } = candidates.find(each => each.name === name) ?? candidates[0] ?? fail(name)
  if (what === 'write') {
    for (let count = Number(n); ; count++) {
      const store = await open(folder, packages)
      await store.append(commitOf(year + 1, `${name}-${count}`))
      await store.close()
      process.stdout.write(`kept ${count}\n`)
    }
  }
  const from = performance.now()
  const store = await open(folder, packages)
  if (what === 'fill') await store.fill(Array.from({ length: year }, (_, each) => commitOf(each)))
  if (what === 'append') await store.append(commitOf(year + Number(n)))
  const found = what === 'fill' || what === 'append' ? undefined : await store.timeline(what)
  await store.close()
  process.stdout.write(JSON.stringify({ ms: performance.now() - from, ...found }))
}

function fail(what: string): never {
  throw new Error(`${what}?`)
}

function start(...args: readonly string[]) {
  const flags = [`--import=${import.meta.resolve('tsx')}`, '--conditions=sak-source', fileURLToPath(import.meta.url)]
  return spawn(process.execPath, [...flags, 'child', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function measure(...args: readonly string[]): Promise<{ ms: number; runs?: number; events?: number }> {
  const process = start(...args)
  let [out, err] = ['', '']
  process.stdout.on('data', chunk => (out += chunk))
  process.stderr.on('data', chunk => (err += chunk))
  const [code] = await once(process, 'close')
  if (code !== 0) throw new Error(`${args.join(' ')}: ${err}`)
  return JSON.parse(out)
}

async function compare(rounds: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'sak-history-'))
  try {
    writeFileSync(join(root, 'package.json'), '{}')
    const packages = candidates.flatMap(each => each.package ?? [])
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], { cwd: root })
    const folders = new Map(candidates.map(({ name }) => [name, join(root, `of-${name}`)]))
    for (const [name, folder] of folders) {
      mkdirSync(folder)
      await measure(name, 'fill', folder, root)
    }
    const all = candidates.map(({ name }) => ({ name, append: numbers(), year: numbers(), week: numbers() }))
    for (let round = 0; round < rounds; round++) {
      for (const { name, append, year, week } of all) {
        const folder = folders.get(name) ?? ''
        append.push((await measure(name, 'append', folder, root, String(round + 1))).ms)
        year.push((await measure(name, new Date(begin).toISOString(), folder, root)).ms)
        week.push((await measure(name, weekAgo, folder, root)).ms)
      }
    }
    console.log(
      '| kept in | a run, ms | a year read, ms | a week read, ms | a year, MB | package, MB | written again after kill -9 |',
    )
    console.log('| --- | --- | --- | --- | --- | --- | --- |')
    for (const candidate of candidates) {
      const { append, year, week } = all.find(({ name }) => name === candidate.name) ?? fail(candidate.name)
      const folder = folders.get(candidate.name) ?? ''
      const size = megabytes(folder)
      const times = [append, year, week].map((some, index) => {
        const files = [all[0]?.append, all[0]?.year, all[0]?.week][index] ?? []
        return `${median(some).toFixed(0)} (${(median(some) / median(files)).toFixed(1)})`
      })
      const own = candidate.package === undefined ? '0' : packageMegabytes(root, candidate)
      console.log(`| ${[candidate.name, ...times, size, own, await killed(candidate, folder, root)].join(' | ')} |`)
    }
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Kills a writer at any moment, again and again: how often the next could write, and whether all is there that was said to be kept. */
async function killed({ name }: Candidate, folder: string, root: string): Promise<string> {
  const times = 10
  let [wrote, count] = [0, 0]
  for (let time = 0; time < times; time++) {
    const writer = start(name, 'write', folder, root, String(count))
    writer.stdout.on('data', chunk => {
      count = Number(/kept (\d+)\n$/.exec(String(chunk))?.[1] ?? count) + 1
    })
    const closed = once(writer, 'close')
    const before = count
    await Promise.race([once(writer.stdout, 'data'), closed, sleep(20_000)])
    if (count > before) wrote += 1
    await sleep(Math.random() * 100)
    writer.kill('SIGKILL')
    await closed
  }
  return `${wrote} of ${times} times`
}

const numbers = (): number[] => []
const median = (some: readonly number[]) => [...some].sort((a, b) => a - b)[Math.floor(some.length / 2)] ?? 0

function megabytes(folder: string): string {
  const names = readdirSync(folder, { recursive: true }).map(String)
  return (names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6).toFixed(1)
}

function packageMegabytes(root: string, { package: name = '' }: Candidate): string {
  const [own = ''] = name.split('@')
  const scoped = readdirSync(join(root, 'node_modules')).includes(`@${own}`) ? [`@${own}`] : []
  return [own, ...scoped].reduce((sum, each) => sum + Number(megabytes(join(root, 'node_modules', each))), 0).toFixed(1)
}

const [first = '', ...rest] = process.argv.slice(2)
if (first === 'child') await child(rest)
else await compare(Number(first || 5))
