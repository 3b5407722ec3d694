import { isDeepStrictEqual } from 'node:util'
import type { DriftChange, DriftItem, Intent, RunRecord } from '../core/drift.ts'
import type { HostReport, ReportChange, TaskReport } from '../core/report.ts'
import { boundedChange } from './bound.ts'
import { fingerprintOf, type Place, placeOf } from './fingerprint.ts'

/** A host as a run found it. */
export interface ObservedHost {
  readonly report: HostReport
  /** The labels of all tasks that the playbook has for it, also of those that this run left out. */
  readonly labels: readonly string[]
  /** What the tasks were meant to do, by label. */
  readonly intents: Readonly<Record<string, Intent>>
}

/** What a run found. */
export interface Observation {
  readonly run: RunRecord
  readonly hosts: readonly ObservedHost[]
  /** Whether it went to all hosts of the playbook, so that one that is missing is none of them any more. */
  readonly isWhole: boolean
}

/** Something that is not as it should be, as one run found it. */
export interface Finding extends Place {
  readonly place: string
  readonly fingerprint: string
  readonly change?: DriftChange
  readonly message?: string
  /** Our own apply mended it in this run. */
  readonly isMended: boolean
}

/** All that a run found on a host. */
export function findingsOf({ report }: ObservedHost, { run }: Observation): readonly Finding[] {
  const { name: host, status, error } = report
  if (error && wasNotTried(error.code, run)) return []
  // a host that is down may fail to answer in several ways, and is down in all of them
  const key = status === 'unreachable' ? status : error?.code
  const whole = error && key !== undefined ? [failure(host, null, { code: key, message: error.message })] : []
  return [...whole, ...report.tasks.flatMap(task => taskFindings(host, task))]
}

/** An apply that leaves a host out says nothing of it; a look that did not come to one did not do its work. */
function wasNotTried(code: string, { mode }: RunRecord): boolean {
  return mode === 'apply' && ['not-started', 'locked', 'stale-plan'].includes(code)
}

function taskFindings(host: string, task: TaskReport): readonly Finding[] {
  const { label, status, error } = task
  const isMended = status === 'changed'
  const drifts = task.changes.flatMap(entriesOf).map(({ key, path, entry, ...change }): Finding => {
    const at = { subject: 'drift' as const, host, task: label, key, ...(path !== undefined && { path }) }
    const where = { ...at, ...(entry !== undefined && { entry }) }
    const place = placeOf(where)
    return {
      ...where,
      place,
      fingerprint: fingerprintOf(place, change, undefined),
      change: boundedChange(change),
      isMended,
    }
  })
  return error ? [...drifts, failure(host, label, error)] : drifts
}

function failure(host: string, task: string | null, { code, message }: { code: string; message: string }): Finding {
  const where = { subject: 'failure' as const, host, task, key: code }
  const place = placeOf(where)
  const [line = ''] = message.split('\n')
  return { ...where, place, fingerprint: fingerprintOf(place, undefined, code), message: line, isMended: false }
}

type EntryChange = DriftChange & Pick<DriftItem, 'key' | 'path' | 'entry'>

/** A record's entries drift each on their own: one that has been off for days is not new because another joins it. */
function entriesOf({ key, path, before, after, diff }: ReportChange): readonly EntryChange[] {
  const at = { key, ...(path !== undefined && { path }) }
  if (diff !== undefined) return [{ ...at, before, after, diff }]
  if (!isRecord(before) || !isRecord(after)) return [{ ...at, before, after }]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const entries = names.map(entry => ({ ...at, entry, before: before[entry] ?? null, after: after[entry] ?? null }))
  return entries.filter(entry => !isDeepStrictEqual(entry.before, entry.after))
}

/** What a run says of an item that it did not find: it is gone, it left the playbook, or nobody could look. */
export type Verdict = 'absent' | 'left' | 'unknown'

/** Statuses of tasks of which every key was compared. */
const judged: ReadonlySet<TaskReport['status']> = new Set<TaskReport['status']>(['ok', 'drift', 'pending', 'changed'])

/** What became of an item that is not among a run's findings. */
export function verdictOn(item: DriftItem, { run, hosts, isWhole }: Observation): Verdict {
  const host = hosts.find(({ report }) => report.name === item.host)
  if (!host) return isWhole ? 'left' : 'unknown'
  const { report, labels } = host
  if (report.error && wasNotTried(report.error.code, run)) return 'unknown'
  if (item.task === null) return 'absent'
  if (!labels.includes(item.task)) return 'left'
  const task = report.tasks.find(({ label }) => label === item.task)
  if (!task) return 'unknown'
  if (judged.has(task.status)) return 'absent'
  // another reason why it cannot be judged takes the place of the one before; what differs there stays unknown
  return item.subject === 'failure' && task.error !== null ? 'absent' : 'unknown'
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
