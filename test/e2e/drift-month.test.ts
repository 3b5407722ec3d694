/**
 * A month of drift detection on ten hosts, in a minute or two: real runs of the installed package over real SSH, one each half hour of a clock that is
 * not the real one. Drifts come and go, hosts go down, the notifier fails, the disk is full, runs are killed, the clock jumps. At the end every
 * drift was told exactly once as new and once as resolved, nothing else was, and no host that was down counted as clean.
 *
 *   SAK_MONTH_RUNS=1440 npx tap --timeout=30000 test/e2e/drift-month.test.ts      # the whole month, half an hour or more; default: 30 runs of it
 *   SAK_MONTH_SEED=7                                                             # another month
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import t from 'tap'
import { z } from 'zod'
import { DriftEvent } from '../../src/core/drift.ts'
import { pack, run } from './packed.ts'
import { startSshHosts } from './ssh-hosts.ts'

const runs = Number(process.env.SAK_MONTH_RUNS ?? 30)
const random = dice(Number(process.env.SAK_MONTH_SEED ?? 1))
const names = Array.from({ length: 10 }, (_, index) => `h${index}`)
const files = ['a', 'b'] as const
const home = '/home/sak-plain'

/** The same numbers in each run of the test (mulberry32). */
function dice(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
const chance = (share: number) => random() < share

const playbook = `
import { defineModule, definePlaybook, write } from 'sak-reconcile'
import { z } from 'zod'
const note = defineModule({
  name: 'note', description: 'Keeps a note.', params: z.strictObject({ path: z.string() }), impact: 'none', owns: ({ path }) => [path],
  check: async (host, { path }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: { kind: 'file', path, content: 'as it should be\\n' } },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})
export default definePlaybook({
  name: 'month',
  tasks: (_, { name }) => ['a', 'b'].map(file => note({ path: '${home}/' + name + '/' + file }, { label: file })),
})
`

/** Something that is wrong: from when it is done until a run has seen it, and from when it is undone until a run has seen that. */
interface Episode {
  isOn: boolean
  seen: boolean
}

const Body = z.object({ events: z.array(DriftEvent) })

t.test(`${runs} runs of a month on ten hosts`, { timeout: runs * 60_000 }, async t => {
  const hosts = await startSshHosts()
  t.teardown(hosts.stop)
  const { archive, env: npm } = await pack(t)
  const folder = mkdtempSync(join(tmpdir(), 'sak-month-'))
  const state = join(folder, 'state')
  for (const each of [state, join(folder, '.ssh')]) mkdirSync(each, { mode: 0o700 })
  copyFileSync(join(hosts.directory, 'known_hosts'), join(folder, '.ssh/known_hosts'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'sak-month', state])
  t.teardown(() => {
    execFileSync('umount', [state])
    rmSync(folder, { recursive: true })
  })
  writeFileSync(join(folder, 'month.ts'), playbook)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'month', private: true, type: 'module' }))
  const installed = await run(['npm', 'install', archive, 'zod@4'], folder, npm)
  t.equal(installed.code, 0, installed.stderr)
  const put = (path: string, line: string) => hosts.inside('sh', '-c', 'printf "%s\\n" "$2" > "$1"', 'sh', path, line)
  for (const name of names) {
    hosts.inside('mkdir', '-p', `${home}/${name}`)
    for (const file of files) put(`${home}/${name}/${file}`, 'as it should be')
  }

  const events = new Map<string, DriftEvent>()
  const notes = join(folder, 'told')
  mkdirSync(notes)
  const count = { told: 0, refused: 0, killed: 0, full: 0, jumps: 0, unclean: 0, unkept: 0 }
  let isDeaf = false
  const server = createServer(async (request, response) => {
    const { events: some } = Body.parse(await json(request))
    if (isDeaf) count.refused += 1
    else
      for (const event of some)
        if (event.id.startsWith('unkept')) count.unkept += 1
        else {
          count.told += 1
          events.set(event.id, event)
        }
    response.writeHead(isDeaf ? 503 : 204).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`
  const keep = 'cat > "$1/.$$" && mv "$1/.$$" "$(mktemp "$1/XXXXXXXX.json")"'
  const program = { kind: 'command', argv: ['sh', '-c', keep, 'sh', notes], tries: 1 }
  const drift = { notify: [{ kind: 'webhook', url, tries: 1 }, program] }
  const config = { playbook: './month.ts', inventory: './hosts.json', drift }
  writeFileSync(join(folder, 'sak.config.json'), JSON.stringify(config))

  const down = new Map<string, Episode>()
  const off = new Map<string, Episode>()
  const injected = { drift: 0, down: 0 }
  const cli = join(folder, 'node_modules/.bin/sak-reconcile')
  const start = (at: number, args: readonly string[]) => {
    const login = { address: '127.0.0.1', user: 'sak-plain', privateKeyPath: join(hosts.directory, 'id_ed25519') }
    const of = (name: string) => ({ ...login, port: down.get(name)?.isOn ? 1 : hosts.port('main') })
    writeFileSync(
      join(folder, 'hosts.json'),
      JSON.stringify({ hosts: Object.fromEntries(names.map(name => [name, of(name)])) }),
    )
    const clock = { LD_PRELOAD: fakeTime(), FAKETIME: `@${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}` }
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      XDG_STATE_HOME: state,
      TZ: 'UTC',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      ...clock,
    }
    return spawn(process.execPath, [cli, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const finish = async (child: ReturnType<typeof start>) => {
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, stdout, stderr }
  }

  /** What is wrong changes now and then, but not before a run has seen it as it is. */
  const mayTurn = (episode: Episode | undefined) => episode === undefined || episode.seen
  const shake = () => {
    for (const name of names) {
      const host = down.get(name)
      if (mayTurn(host) && chance(host?.isOn ? 0.5 : 0.04)) {
        if (!host?.isOn) injected.down += 1
        down.set(name, { isOn: !host?.isOn, seen: false })
      }
      for (const file of files) {
        const path = `${home}/${name}/${file}`
        const drifting = off.get(path)
        if (!mayTurn(drifting) || !chance(drifting?.isOn ? 0.4 : 0.06)) continue
        if (!drifting?.isOn) injected.drift += 1
        put(path, drifting?.isOn ? 'as it should be' : `wrong ${Math.floor(random() * 1000)}`)
        off.set(path, { isOn: !drifting?.isOn, seen: false })
      }
    }
  }
  const seen = () => {
    for (const episode of down.values()) episode.seen = true
    for (const [path, episode] of off) if (!down.get(path.split('/')[3] ?? '')?.isOn) episode.seen = true
  }
  const isDown = () => [...down.values()].some(({ isOn }) => isOn)
  const isOff = () => [...off].some(([path, { isOn }]) => isOn && !down.get(path.split('/')[3] ?? '')?.isOn)

  const begin = Date.UTC(2026, 10, 1)
  const step = (30 * 86_400_000) / runs
  /** Milliseconds that a run takes, as the last one did: it is killed at any moment of that. */
  let took = 2000
  for (let n = 0; n < runs; n++) {
    const isLast = n >= runs - 3
    if (!isLast) shake()
    isDeaf = !isLast && chance(0.2)
    const isFull = !isLast && chance(0.08)
    const jump = !isLast && chance(0.08) ? (random() - 0.5) * 10 * 86_400_000 : 0
    if (jump !== 0) count.jumps += 1
    if (isFull) {
      count.full += 1
      execFileSync('sh', ['-c', 'dd if=/dev/zero of="$1" bs=4k 2>/dev/null; true', 'sh', join(state, 'full')])
    }
    const child = start(begin + n * step + jump, ['drift'])
    const isKilled = !isLast && chance(0.12)
    const startedAt = performance.now()
    const killing = isKilled ? setTimeout(() => child.kill('SIGKILL'), random() * took) : undefined
    const { code, stdout, stderr } = await finish(child)
    clearTimeout(killing)
    if (code !== null) took = performance.now() - startedAt
    rmSync(join(state, 'full'), { force: true })
    if (code === null) {
      count.killed += 1
      continue
    }
    if (isDown() && (code & 4) === 0) count.unclean += 1
    if (!isFull && !isDeaf) t.equal(code, (isDown() ? 4 : 0) + (isOff() ? 2 : 0), `run ${n}: ${stdout}${stderr}`)
    if (isFull) t.match(stderr, /the history cannot be kept/)
    else seen()
  }
  isDeaf = false
  down.clear() // all are up again, then all is mended, then there is nothing to tell
  const last = async (n: number) => finish(start(begin + (runs + n) * step, ['drift']))
  t.equal((await last(0)).code, isOff() ? 2 : 0)
  for (const [path, episode] of off) if (episode.isOn) put(path, 'as it should be')
  off.clear()
  t.match(await last(1), { code: 0, stderr: '' })
  t.match(await last(2), { code: 0, stdout: '', stderr: '' })
  const history = await finish(start(begin + (runs + 3) * step, ['history', '--json']))
  const { occurrences } = z
    .object({ occurrences: z.array(z.object({ resolvedAt: z.string() })) })
    .parse(JSON.parse(history.stdout))

  const tally = (kind: DriftEvent['kind'], subject: string, from: readonly DriftEvent[] = [...events.values()]) =>
    from.filter(event => event.kind === kind && event.item.subject === subject)
  const toProgram = toldIn(notes)
  const table = [
    ['', 'done', 'told as new', 'told as resolved'],
    ['drifts', injected.drift, tally('new', 'drift').length, tally('resolved', 'drift').length],
    ['hosts down', injected.down, tally('new', 'failure').length, tally('resolved', 'failure').length],
    ['webhook down', '', ...(['new', 'resolved'] as const).map(kind => tally(kind, 'notifier', toProgram).length)],
  ]
  for (const row of table) t.comment(row.map(cell => String(cell).padEnd(18)).join(''))
  t.comment(`${runs} runs over 30 days: ${JSON.stringify({ ...count, changed: tally('changed', 'drift').length })}`)
  for (const [subject, done] of [
    ['drift', injected.drift],
    ['failure', injected.down],
  ] as const) {
    const items = (kind: DriftEvent['kind']) =>
      tally(kind, subject)
        .map(({ item }) => item.id)
        .sort()
    t.equal(new Set(items('new')).size, done, `${subject}: each is new once`)
    t.equal(items('new').length, done)
    t.same(items('resolved'), items('new'), `${subject}: and resolved once`)
  }
  t.same(idsOf(toProgram, 'drift'), idsOf([...events.values()], 'drift'), 'the program was told the same')
  t.same(idsOf(toProgram, 'failure'), idsOf([...events.values()], 'failure'))
  t.ok(tally('new', 'notifier', toProgram).length > 0)
  t.same(
    tally('resolved', 'notifier', toProgram).map(({ item }) => item.id),
    tally('new', 'notifier', toProgram).map(({ item }) => item.id),
    'it was told of the webhook that could not be reached, and that it can be again',
  )
  t.equal(tally('changed', 'drift').length, 0, 'nothing is invented')
  t.equal(count.unclean, 0, 'no host that was down counted as clean')
  t.equal(
    occurrences.length,
    [...new Set([...events.values()].map(({ item }) => item.id))].length,
    'the history has the same',
  )
  t.ok(injected.drift > runs / 4 && injected.down > 0)
})

const idsOf = (events: readonly DriftEvent[], subject: string) =>
  [...new Set(events.filter(({ item }) => item.subject === subject).map(({ id }) => id))].sort()

/** Each event once that the program was told of, in order; a file that is cut is of a run that was killed while it told. */
function toldIn(folder: string): readonly DriftEvent[] {
  const files = readdirSync(folder).filter(name => name.endsWith('.json'))
  const all = files.flatMap(name => {
    const text = readFileSync(join(folder, name), 'utf8')
    return text.endsWith('}') ? Body.parse(JSON.parse(text)).events : []
  })
  const kept = all.filter(({ id }) => !id.startsWith('unkept'))
  const inOrder = kept.sort((a, b) => Number(a.id.split('-')[1]) - Number(b.id.split('-')[1]))
  return [...new Map(inOrder.map(event => [event.id, event])).values()]
}

function fakeTime(): string {
  const listed = execFileSync('dpkg', ['-L', 'libfaketime'], { encoding: 'utf8' })
  return listed.split('\n').find(path => path.endsWith('/libfaketimeMT.so.1')) ?? ''
}
