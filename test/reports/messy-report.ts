import type { Report } from '../../src/core/report.ts'
import { drift, error, host, report, saved, task } from './run-events.ts'

/** Text that every format has its own trouble with. */
export const nasty = `</script><img src=x onerror=alert(1)> & "quotes" 'too' \\ back \u001b]0;evil\u0007 \u0000 \ud800 \uffff ]]> %0A ::error::x`

/** A report with every status, a host that cannot be reached, one that was not started, and hostile text wherever hosts have a say. */
export const messyReport: Report = report(
  [
    host(
      'web1.example.com',
      [
        task({ label: 'in sync' }),
        drift({
          label: 'differs',
          module: 'pgconf',
          changes: [
            { ...saved, diff: `--- /a\n+++ /a\n@@ -1 +1 @@\n-${nasty}\n+y\n` },
            { key: 'running', before: { 'vm.swappiness': nasty }, after: { 'vm.swappiness': '10' } },
          ],
        }),
        drift({ label: 'waits', status: 'pending', impact: 'restart' }),
        task({ label: 'later', status: 'deferred', impact: 'data' }),
        task({
          label: 'broken',
          status: 'failed',
          error: error({ message: `two\nlines ${nasty}`, said: nasty, hint: nasty }),
        }),
        task({ label: 'cannot', status: 'blocked', error: error({ code: 'needs-root', step: null, said: null }) }),
        task({ label: 'half', status: 'interrupted', error: error({ code: 'interrupted', step: null }) }),
        task({ label: 'after', status: 'skipped' }),
      ],
      {
        status: 'failed',
        budget: {
          ramMiB: 1928,
          plannedMiB: 2128,
          parts: [
            { task: 'pm2eco', MiB: 1778, what: '2 x 889' },
            { task: 'system', MiB: 350, what: 'kernel' },
          ],
        },
      },
    ),
    host(`evil ${nasty}`, [task({ label: `label ${nasty}`, status: 'changed' })]),
    host('web3', [], {
      status: 'unreachable',
      roundTrips: 0,
      error: error({ code: 'connect-timeout', message: 'no answer in 10 s', task: null, step: null }),
    }),
    host('web4', [], {
      status: 'skipped',
      roundTrips: 0,
      error: error({ code: 'not-started', message: 'the rollout stopped', task: null, step: null, said: null }),
    }),
  ],
  {
    exitCode: 6,
    advice: [
      { id: 'too-loud', host: 'web1', task: nasty, message: nasty, suggestion: nasty, source: nasty },
      { id: 'too-loud', host: nasty, task: 'amp', message: 'is too loud', suggestion: '7', source: 'a manual' },
    ],
    silencedAdvice: [{ id: 'too-low', host: 'web1', task: 'amp', reason: nasty }],
    timeline: [
      {
        host: 'web1.example.com',
        task: 'differs',
        what: nasty,
        firstSeen: '2026-11-20T10:00:00.000Z',
        resolvedAt: null,
      },
      {
        host: 'web3',
        task: null,
        what: 'connect-timeout',
        firstSeen: '2026-11-18T10:00:00.000Z',
        resolvedAt: '2026-11-21T10:00:00.000Z',
      },
    ],
  },
)
