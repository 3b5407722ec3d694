import t from 'tap'
import { ndjsonReport } from '../../src/reports/ndjson.ts'
import { eventsOf } from '../../src/reports/replay.ts'
import { drift, host, report, task } from './run-events.ts'

t.test('an event a line, at once, with the time; no host twice', async t => {
  const lines: string[] = []
  const { onEvent, finish } = ndjsonReport({
    write: text => void lines.push(text),
    now: () => new Date('2026-11-23T10:00:00.000Z'),
  })
  const whole = report([host('a', [drift({ label: 'two\nlines' })]), host('b', [task()])])
  for (const [index, event] of eventsOf(whole).entries()) {
    onEvent(event)
    t.equal(lines.length, index + 1, 'nothing is held back')
  }
  finish()
  for (const line of lines) t.match(line, /^[^\n]+\n$/)
  const { hosts, ...rest } = whole
  const time = '2026-11-23T10:00:00.000Z'
  t.same(
    lines.map(line => JSON.parse(line)),
    [
      { time, schema: 'sak-reconcile/event@1', type: 'start', mode: 'dry-run', hosts: ['a', 'b'] },
      ...hosts.map(each => ({ time, type: 'host', report: each })),
      { time, type: 'end', report: rest },
    ],
  )
})
