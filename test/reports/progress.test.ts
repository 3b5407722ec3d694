import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { HostReport, Report, RunEvent } from '../../src/core/report.ts'
import { notStarted } from '../../src/core/rollout.ts'
import { progressLine, progressLines } from '../../src/reports/progress.ts'

const report = (name: string, status: HostReport['status'] = 'ok'): RunEvent => ({
  type: 'host',
  report: { name, status, durationMs: 1500, roundTrips: 1, tasks: [], error: null },
})
const ended: Report = {
  schema: 'sak-reconcile/report@1',
  mode: 'apply',
  startedAt: '2026-11-23T10:00:00.000Z',
  durationMs: 1,
  exitCode: 0,
  summary: { hosts: {}, tasks: {} },
  hosts: [],
}
const end: RunEvent = { type: 'end', report: ended }
const start = (...hosts: string[]): RunEvent => ({ type: 'start', mode: 'apply', hosts })
const begin = (host: string): RunEvent => ({ type: 'host-start', host })
const task = (host: string, label: string): RunEvent => ({ type: 'task', host, label })

function line(width = 80, color = false) {
  const drawn: string[] = []
  const onEvent = progressLine({ color, width: () => width, draw: text => void drawn.push(text) })
  return { drawn, tell: (...events: RunEvent[]) => events.forEach(onEvent) }
}

t.test('the line tells hosts done, running and failed, and who is at which task', async t => {
  const { drawn, tell } = line()
  tell(start('a', 'b', 'c', 'd'), begin('a'), begin('b'), begin('c'), report('a', 'failed'), task('b', 'pgconf'))
  t.same(drawn, [], 'not at once')
  await sleep(150)
  t.same(drawn, ['1/4 hosts done, 2 running, 1 failed  b: pgconf, c: checking  0 s'])
  tell({ type: 'health', hosts: ['b'] }, { type: 'host', report: notStarted('d', 'x') })
  await sleep(150)
  t.equal(drawn[1], '1/4 hosts done, 2 running, 1 failed  b: is it well?, c: checking  0 s')
  tell(end)
  t.equal(drawn.at(-1), '', 'gone when the run ends')
  await sleep(150)
  t.equal(drawn.length, 3, 'and stays so')
})

t.test('however much happens, it is drawn at most ten times a second, and goes on while nothing does', async t => {
  const { drawn, tell } = line()
  tell(start('a'))
  for (let round = 0; round < 50; round += 1) {
    tell(task('a', `t${round}`))
    await sleep(10)
  }
  t.ok(drawn.length >= 2 && drawn.length <= 1 + (50 * 20) / 100, `${drawn.length} times`)
  await sleep(1300)
  t.match(drawn.at(-1), / {2}[12] s$/)
  tell(end)
})

t.test('what is over at once shows no line', async t => {
  const { drawn, tell } = line()
  tell(start('a'), begin('a'), report('a'), end)
  await sleep(150)
  t.same(drawn, [''])
})

t.test('the line never takes more than its room, nor escapes of others', async t => {
  const names = Array.from({ length: 30 }, (_, index) => `host-with-a-long-name-${index}`)
  for (const width of [0, 10, 40, 79]) {
    const { drawn, tell } = line(width)
    tell(start(...names), ...names.map(begin))
    await sleep(130)
    t.ok((drawn[0] ?? '').length <= width, `${width}`)
    tell(end)
  }
  const { drawn, tell } = line()
  tell(start('a'), task('a\u001b[2J', 'x\ny\u0007'))
  await sleep(130)
  t.match(drawn, [/ {2}a: x y {2}0 s$/])
  tell(end)
})

t.test('plain lines, one after the other', async t => {
  let text = ''
  const onEvent = progressLines(more => {
    text += more
  })
  const skipped: RunEvent = { type: 'host', report: notStarted('c', 'x') }
  for (const event of [
    start('a', 'b', 'c'),
    begin('a'),
    task('a', 'pgconf'),
    { type: 'health', hosts: ['a'] } as const,
  ])
    onEvent(event)
  for (const event of [report('a', 'changed'), report('b', 'failed'), skipped, end]) onEvent(event)
  t.equal(
    text,
    `a: applying pgconf
asking whether a is well
a: changed in 1.5 s (1/3)
b: failed in 1.5 s (2/3)
`,
  )
})
