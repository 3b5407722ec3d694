import { type HostReport, isDrift, isTrouble, type Report } from '../core/report.ts'
import { printable, wellFormed } from '../core/terminal.ts'
import { type Reporter, reportAtEnd } from './reporter.ts'

export interface PrometheusOptions {
  write(text: string): void
  /** What the last run wrote: times of success are taken over from it where this run had none. */
  readonly before?: string
}

/**
 * Metrics in Prometheus' text format, for node_exporter's textfile collector. Of what this run could not look at there is no
 * sample that says it is in sync, and the time of its last success stays what it was.
 */
export function prometheusReport({ write, before = '' }: PrometheusOptions): Reporter {
  return reportAtEnd(report => metricsOf(report, before).flatMap(metricLines).join('\n').concat('\n'), write)
}

type Labels = Readonly<Record<string, string>>

interface Sample {
  readonly labels: Labels
  readonly value: number
}

interface Metric {
  readonly name: string
  readonly help: string
  readonly samples: readonly Sample[]
}

function metricsOf(report: Report, before: string): readonly Metric[] {
  const playbook = report.playbook ?? ''
  const endedAt = (Date.parse(report.startedAt) + report.durationMs) / 1000
  return [
    ...runMetrics(report, { playbook, endedAt, before }),
    ...hostMetrics(report, { playbook, endedAt, before }),
    ...taskMetrics(report, playbook),
  ]
}

interface Run {
  readonly playbook: string
  /** Seconds since 1970. */
  readonly endedAt: number
  readonly before: string
}

function runMetrics({ hosts, exitCode, durationMs }: Report, { playbook, endedAt, before }: Run): readonly Metric[] {
  const of = (value: number): readonly Sample[] => [{ labels: { playbook }, value }]
  const success = { name: 'sak_reconcile_last_success_timestamp_seconds', labels: { playbook } }
  const succeeded = hosts.every(isJudged)
  return [
    { name: 'sak_reconcile_last_run_timestamp_seconds', help: 'When the last run ended.', samples: of(endedAt) },
    {
      name: success.name,
      help: 'When a run last could judge every task of every host.',
      samples: succeeded ? of(endedAt) : kept(before, success),
    },
    { name: 'sak_reconcile_run_duration_seconds', help: 'How long the last run took.', samples: of(durationMs / 1000) },
    { name: 'sak_reconcile_run_exit_code', help: 'Exit code of the last run.', samples: of(exitCode) },
  ]
}

function hostMetrics({ hosts }: Report, { playbook, endedAt, before }: Run): readonly Metric[] {
  const each = (value: (host: HostReport) => number | undefined, more?: (host: HostReport) => Labels) =>
    hosts.flatMap(host => {
      const number = value(host)
      return number === undefined ? [] : [{ labels: { playbook, host: host.name, ...more?.(host) }, value: number }]
    })
  const success = 'sak_reconcile_host_last_success_timestamp_seconds'
  const bytes = (MiB: number | undefined) => (MiB === undefined ? undefined : MiB * 1024 * 1024)
  return [
    {
      name: 'sak_reconcile_host_status',
      help: 'Always 1; the label says what became of the host.',
      samples: each(
        () => 1,
        ({ status }) => ({ status }),
      ),
    },
    {
      name: 'sak_reconcile_host_unreachable',
      help: 'Whether the host could not be reached.',
      samples: each(host => Number(host.status === 'unreachable')),
    },
    {
      name: success,
      help: 'When every task of the host could last be judged.',
      samples: hosts.flatMap(host => {
        const labels = { playbook, host: host.name }
        return isJudged(host) ? [{ labels, value: endedAt }] : kept(before, { name: success, labels })
      }),
    },
    {
      name: 'sak_reconcile_host_duration_seconds',
      help: 'How long the host took.',
      samples: each(host => host.durationMs / 1000),
    },
    {
      name: 'sak_reconcile_host_memory_bytes',
      help: 'Memory that the host has.',
      samples: each(({ budget }) => bytes(budget?.ramMiB)),
    },
    {
      name: 'sak_reconcile_host_memory_planned_bytes',
      help: 'Memory that the tasks of the host let their services use at most.',
      samples: each(({ budget }) => bytes(budget?.plannedMiB)),
    },
  ]
}

function taskMetrics({ hosts, timeline = [] }: Report, playbook: string): readonly Metric[] {
  const tasks = hosts.flatMap(({ name, tasks }) =>
    tasks
      .filter(({ status }) => status !== 'skipped')
      .map(task => ({ task, labels: { playbook, host: name, task: task.label, module: task.module } })),
  )
  return [
    {
      name: 'sak_reconcile_task_drift',
      help: 'Whether the task differs, or waits for what is not permitted or not known yet.',
      samples: tasks
        .filter(({ task }) => !isTrouble(task.status))
        .map(({ task, labels }) => ({ labels, value: Number(isDrift(task.status)) })),
    },
    {
      name: 'sak_reconcile_task_failed',
      help: 'Whether the task failed, was left unfinished or could not be judged.',
      samples: tasks.map(({ task, labels }) => ({ labels, value: Number(isTrouble(task.status)) })),
    },
    {
      name: 'sak_reconcile_drift_first_seen_timestamp_seconds',
      help: 'Since when the task differs, of what differs longest.',
      samples: tasks.flatMap(({ task, labels }) => {
        const open = timeline.filter(
          span => span.host === labels.host && span.task === task.label && span.resolvedAt === null,
        )
        if (!isDrift(task.status) || open.length === 0) return []
        const first = Math.min(...open.map(({ firstSeen }) => Date.parse(firstSeen)))
        return [{ labels, value: first / 1000 }]
      }),
    },
  ]
}

/** Whether it is known of each task whether it is in sync. */
const isJudged = (host: HostReport): boolean =>
  host.error === null && !host.tasks.some(({ status }) => isTrouble(status) || status === 'skipped')

/** The sample as the last run wrote it. */
function kept(before: string, { name, labels }: { name: string; labels: Labels }): readonly Sample[] {
  const start = `${name}${labelSet(labels)} `
  const line = before.split('\n').find(each => each.startsWith(start))
  const value = Number(line?.slice(start.length))
  return line === undefined || !Number.isFinite(value) ? [] : [{ labels, value }]
}

function metricLines({ name, help, samples }: Metric): string[] {
  if (samples.length === 0) return []
  const lines = samples.map(({ labels, value }) => `${name}${labelSet(labels)} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines]
}

function labelSet(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${labelValue(value)}"`)
  return `{${pairs.join(',')}}`
}

const labelValue = (text: string): string =>
  wellFormed(printable(text)).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
