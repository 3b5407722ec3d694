import t from 'tap'
import type { Report } from '../../src/core/report.ts'
import { jsonReport } from '../../src/reports/json.ts'

const report = (mode: Report['mode']): Report => ({
  schema: 'sak-reconcile/report@1',
  mode,
  startedAt: '2026-11-23T10:00:00.000Z',
  durationMs: 1,
  exitCode: 0,
  summary: { hosts: {}, tasks: {} },
  hosts: [],
})

t.test('one document, of the run that counts', async t => {
  const written: string[] = []
  const { onEvent, finish } = jsonReport(text => void written.push(text))
  for (const mode of ['dry-run', 'apply'] as const) {
    onEvent({ type: 'start', mode, hosts: [] })
    onEvent({ type: 'end', report: report(mode) })
  }
  t.same(written, [], 'nothing before the end')
  finish()
  t.same(
    written.map(text => JSON.parse(text)),
    [report('apply')],
  )
})

t.test('nothing where nothing was run', async t => {
  jsonReport(() => t.fail('nothing to write')).finish()
})
