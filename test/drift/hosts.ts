import type { RunRecord } from '../../src/core/drift.ts'
import type { HostReport, TaskReport } from '../../src/core/report.ts'
import { advance } from '../../src/drift/advance.ts'
import { type HostedRule, ignoring } from '../../src/drift/ignore.ts'
import type { Observation, ObservedHost } from '../../src/drift/observe.ts'
import { advanceState, Commit, emptyState, type State } from '../../src/drift/state.ts'

const error = (host: string, task: string | null, code: string) => ({
  ...{ code, message: `no ${code}`, host, task, step: null, said: null, rollback: 'none' as const, hint: null },
})

/** A task as reports have it: in sync, with values that differ, or with an error. */
export function taskOf(
  label: string,
  values: Readonly<Record<string, string>> | string,
  more: Partial<TaskReport> = {},
): TaskReport {
  const base = { module: 'm', label, impact: 'none' as const, steps: [] }
  if (typeof values === 'string') {
    return { ...base, status: 'blocked', changes: [], error: error('web1', label, values), ...more }
  }
  const after = Object.fromEntries(Object.keys(values).map(name => [name, 'good']))
  const isDrift = Object.keys(values).length > 0
  const changes = isDrift ? [{ key: 'running', before: values, after }] : []
  return { ...base, status: isDrift ? 'drift' : 'ok', changes, error: null, ...more }
}

/** A host as a run found it: with its tasks, or down with an error. */
export function hostOf(
  name: string,
  tasks: readonly TaskReport[] | string,
  more: Partial<ObservedHost> = {},
): ObservedHost {
  const base = { name, durationMs: 1, roundTrips: 1 }
  const isDown = typeof tasks === 'string'
  const report: HostReport = isDown
    ? { ...base, status: 'unreachable', tasks: [], error: error(name, null, tasks) }
    : { ...base, status: 'ok', tasks: [...tasks], error: null }
  const labels = isDown ? ['sysctl', 'nginx'] : tasks.map(({ label }) => label)
  return { report, labels, intents: Object.fromEntries(labels.map(label => [label, intent('p', 'd')])), ...more }
}

export const intent = (params: string, desired: string) => ({ params, desired: { running: desired } })

interface Told {
  readonly kind: string
  readonly what: string
  readonly by?: string
  readonly origin?: string
}

/** A history in memory: look again and again, and see what is told. */
export function watching(rules: readonly HostedRule[] = [], remindMs?: number) {
  let state: State = emptyState('s')
  let minute = 0
  return {
    state: () => state,
    pass: (minutes: number) => {
      minute += minutes
    },
    look: (hosts: readonly ObservedHost[], more: Partial<Observation> & { mode?: RunRecord['mode'] } = {}): Told[] => {
      minute += 1
      const { mode = 'drift', isWhole = true } = more
      const at = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
      const run = { id: `r${minute}`, mode, at, durationMs: 1, exitCode: 0, hosts: {} }
      const options = { ignoring: ignoring(rules, at), ...(remindMs !== undefined && { remindMs }) }
      const input = advance(state, { run, hosts, isWhole }, options)
      const commit = Commit.parse({ ...input, seq: state.seq + 1 })
      state = advanceState(state, commit)
      return commit.events.map(({ kind, by, item }) => ({
        kind,
        what: [item.host, item.task, item.key, item.entry].filter(Boolean).join(' '),
        ...(by && { by }),
        ...(kind === 'new' && item.subject === 'drift' && { origin: item.origin }),
      }))
    },
  }
}
