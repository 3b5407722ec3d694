import pc from 'picocolors'
import t from 'tap'
import type { Report } from '../../src/core/report.ts'
import { adviceLines } from '../../src/reports/text-advice.ts'

const view = { colors: pc.createColors(false), verbose: false }
const piece = {
  id: 'too-loud',
  task: 'amp\u001b[2J',
  message: 'is too loud',
  suggestion: 'level: 9',
  source: 'a manual',
}

function report(names: readonly string[]): Report {
  const hosts = names.map(name => {
    return { name, status: 'ok' as const, durationMs: 0, roundTrips: 1, tasks: [], error: null }
  })
  const advice = names.map(host => ({ ...piece, host }))
  const about = {
    schema: 'sak-reconcile/report@1',
    mode: 'dry-run',
    startedAt: '',
    durationMs: 0,
    exitCode: 0,
  } as const
  return { ...about, summary: { hosts: {}, tasks: {} }, hosts, advice }
}

t.test('the same piece stands once for all hosts, whose names are few', async t => {
  t.same(adviceLines(report(['a', 'b', 'c', 'd', 'e']), view), [
    'advice too-loud (amp)  is too loud',
    '  rather: level: 9',
    '  on a, b, c and 2 more',
  ])
  t.equal(adviceLines(report(['a', 'b']), view).at(-1), '  on a, b')
  t.equal(adviceLines(report(['a']), view).length, 2, 'of one host there is no need to name it')
  t.same(adviceLines({ ...report(['a']), advice: [] }, view), [])
})
