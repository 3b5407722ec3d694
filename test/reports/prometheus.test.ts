import t from 'tap'
import type { Report } from '../../src/core/report.ts'
import { prometheusReport } from '../../src/reports/prometheus.ts'
import { messyReport } from './messy-report.ts'
import { drift, error, host, report, task, written } from './run-events.ts'

const metrics = (given: Report, before = '') => written(given, write => prometheusReport({ write, before }))

/** The samples of a metric, as `labels value`. */
const samples = (text: string, name: string) =>
  text
    .split('\n')
    .filter(line => line.startsWith(`${name}{`))
    .map(line => line.slice(name.length))

const unreachable = host('web2', [], { status: 'unreachable', error: error() })

t.test('drift by host and task, what cannot be reached, and when it was looked', async t => {
  const budget = { ramMiB: 1928, plannedMiB: 1746, parts: [] }
  const text = metrics(
    report([host('web1', [drift({ module: 'pgconf' }), task({ label: 'b' })], { budget })], { exitCode: 2 }),
  )
  t.equal(
    text,
    `# HELP sak_reconcile_last_run_timestamp_seconds When the last run ended.
# TYPE sak_reconcile_last_run_timestamp_seconds gauge
sak_reconcile_last_run_timestamp_seconds{playbook="web"} 1795428003.4
# HELP sak_reconcile_last_success_timestamp_seconds When a run last could judge every task of every host.
# TYPE sak_reconcile_last_success_timestamp_seconds gauge
sak_reconcile_last_success_timestamp_seconds{playbook="web"} 1795428003.4
# HELP sak_reconcile_run_duration_seconds How long the last run took.
# TYPE sak_reconcile_run_duration_seconds gauge
sak_reconcile_run_duration_seconds{playbook="web"} 3.4
# HELP sak_reconcile_run_exit_code Exit code of the last run.
# TYPE sak_reconcile_run_exit_code gauge
sak_reconcile_run_exit_code{playbook="web"} 2
# HELP sak_reconcile_host_status Always 1; the label says what became of the host.
# TYPE sak_reconcile_host_status gauge
sak_reconcile_host_status{playbook="web",host="web1",status="drift"} 1
# HELP sak_reconcile_host_unreachable Whether the host could not be reached.
# TYPE sak_reconcile_host_unreachable gauge
sak_reconcile_host_unreachable{playbook="web",host="web1"} 0
# HELP sak_reconcile_host_last_success_timestamp_seconds When every task of the host could last be judged.
# TYPE sak_reconcile_host_last_success_timestamp_seconds gauge
sak_reconcile_host_last_success_timestamp_seconds{playbook="web",host="web1"} 1795428003.4
# HELP sak_reconcile_host_duration_seconds How long the host took.
# TYPE sak_reconcile_host_duration_seconds gauge
sak_reconcile_host_duration_seconds{playbook="web",host="web1"} 1.2
# HELP sak_reconcile_host_memory_bytes Memory that the host has.
# TYPE sak_reconcile_host_memory_bytes gauge
sak_reconcile_host_memory_bytes{playbook="web",host="web1"} 2021654528
# HELP sak_reconcile_host_memory_planned_bytes Memory that the tasks of the host let their services use at most.
# TYPE sak_reconcile_host_memory_planned_bytes gauge
sak_reconcile_host_memory_planned_bytes{playbook="web",host="web1"} 1830813696
# HELP sak_reconcile_task_drift Whether the task differs, or waits for what is not permitted or not known yet.
# TYPE sak_reconcile_task_drift gauge
sak_reconcile_task_drift{playbook="web",host="web1",task="m",module="pgconf"} 1
sak_reconcile_task_drift{playbook="web",host="web1",task="b",module="m"} 0
# HELP sak_reconcile_task_failed Whether the task failed, was left unfinished or could not be judged.
# TYPE sak_reconcile_task_failed gauge
sak_reconcile_task_failed{playbook="web",host="web1",task="m",module="pgconf"} 0
sak_reconcile_task_failed{playbook="web",host="web1",task="b",module="m"} 0
`,
  )
})

t.test('what could not be looked at is not said to be in sync', async t => {
  const text = metrics(messyReport)
  const drifts = samples(text, 'sak_reconcile_task_drift')
  t.same(
    drifts.map(line => [/task="([^" ]+)/.exec(line)?.[1], line.at(-1)]),
    [
      ['in', '0'],
      ['differs', '1'],
      ['waits', '1'],
      ['later', '1'],
      ['label', '0'],
    ],
  )
  t.same(
    samples(text, 'sak_reconcile_host_unreachable').map(line => line.at(-1)),
    ['0', '0', '1', '0'],
  )
  t.same(samples(text, 'sak_reconcile_last_success_timestamp_seconds'), [])
  t.equal(samples(text, 'sak_reconcile_host_last_success_timestamp_seconds').length, 1)
})

t.test('the time of the last success stays, run after run', async t => {
  const first = metrics(report([host('web1', [task()]), host('web2', [task()])]))
  const later = { startedAt: '2026-11-23T11:00:00.000Z' }
  const failing = report([host('web1', [task()]), unreachable], later)
  let text = first
  for (let run = 0; run < 3; run += 1) text = metrics(failing, text)
  t.same(samples(text, 'sak_reconcile_last_success_timestamp_seconds'), ['{playbook="web"} 1795428003.4'])
  t.same(samples(text, 'sak_reconcile_host_last_success_timestamp_seconds'), [
    '{playbook="web",host="web1"} 1795431603.4',
    '{playbook="web",host="web2"} 1795428003.4',
  ])
  t.same(samples(metrics(failing, 'no metrics'), 'sak_reconcile_last_success_timestamp_seconds'), [])
})

t.test('since when, where there is a history', async t => {
  const at = (what: string, firstSeen: string, resolvedAt: string | null = null) => ({
    host: 'web1',
    task: 'm',
    what,
    firstSeen,
    resolvedAt,
  })
  const timeline = [
    at('saved', '2026-11-21T10:00:00.000Z'),
    at('running', '2026-11-20T10:00:00.000Z'),
    at('boot', '2026-11-19T10:00:00.000Z', '2026-11-19T11:00:00.000Z'),
  ]
  const metric = 'sak_reconcile_drift_first_seen_timestamp_seconds'
  const hosts = [host('web1', [drift(), task({ label: 'other' })]), host('web2', [drift()])]
  t.same(samples(metrics(report(hosts, { timeline })), metric), [
    '{playbook="web",host="web1",task="m",module="m"} 1795168800',
  ])
  t.same(
    samples(metrics(report([host('web1', [task()])], { timeline })), metric),
    [],
    'what is in sync differs no more',
  )
})
