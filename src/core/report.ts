import { z } from 'zod'
import { Advice, SilencedAdvice } from './advice.ts'
import { Budget } from './budget.ts'
import { impacts } from './step.ts'

/** What became of a task; see README.md for each. Ordered from the least to the most that needs attention. */
export const taskStatuses = [
  'ok',
  'skipped',
  'changed',
  'drift',
  'deferred',
  'pending',
  'interrupted',
  'blocked',
  'failed',
] as const
export const TaskStatus = z.enum(taskStatuses)
export type TaskStatus = z.infer<typeof TaskStatus>

export const HostStatus = z.enum([...taskStatuses, 'unreachable'])
export type HostStatus = z.infer<typeof HostStatus>

export const ReportError = z.object({
  code: z.string(),
  message: z.string(),
  host: z.string(),
  task: z.string().nullable(),
  step: z.string().nullable(),
  said: z.string().nullable(),
  rollback: z.enum(['none', 'done', 'failed']),
  hint: z.string().nullable(),
})
export type ReportError = z.infer<typeof ReportError>

/** A key that differs. Of a record only the entries that differ; of a file the content, or its attributes. */
export const ReportChange = z.object({
  key: z.string(),
  path: z.string().optional(),
  before: z.unknown(),
  after: z.unknown(),
  /** A unified diff, for files. */
  diff: z.string().optional(),
})
export type ReportChange = z.infer<typeof ReportChange>

/** A step: what it does, and whether that can be taken back. */
export const ReportStep = z.looseObject({
  kind: z.string(),
  impact: z.enum(impacts),
  /** Where a failure does not take it back: it is safe to do again, or it cannot be undone. */
  undo: z.enum(['resumable', 'none']).optional(),
  /** Done once for the tasks with these labels too. */
  sharedWith: z.array(z.string()).optional(),
})
export type ReportStep = z.infer<typeof ReportStep>

export const TaskReport = z.object({
  module: z.string(),
  label: z.string(),
  status: TaskStatus,
  /** The greatest impact of the steps, or for a deferred task the greatest that they can have. */
  impact: z.enum(impacts),
  /** Of a skipped task: the condition that leaves it out on this host, and the facts that decided it. */
  when: z.string().optional(),
  changes: z.array(ReportChange),
  steps: z.array(ReportStep),
  /** The labels of the tasks that it is one transaction with, its own too. */
  together: z.array(z.string()).optional(),
  error: ReportError.nullable(),
})
export type TaskReport = z.infer<typeof TaskReport>

export const HostReport = z.object({
  name: z.string(),
  status: HostStatus,
  durationMs: z.number(),
  roundTrips: z.number(),
  /** The host's memory and what its tasks plan of it; none where no task says what it takes. */
  budget: Budget.optional(),
  tasks: z.array(TaskReport),
  error: ReportError.nullable(),
})
export type HostReport = z.infer<typeof HostReport>

/** Something that is not as it should be, or was not: from when it was first seen until it was resolved. */
export const DriftSpan = z.object({
  host: z.string(),
  /** A task's label; `null` for a host that cannot be judged as a whole. */
  task: z.string().nullable(),
  /** What differs: `saved`, a path, a setting. */
  what: z.string(),
  firstSeen: z.iso.datetime(),
  /** `null` while it is there. */
  resolvedAt: z.iso.datetime().nullable(),
})
export type DriftSpan = z.infer<typeof DriftSpan>

/** A run, whatever happened on its hosts. */
export const Report = z.object({
  schema: z.literal('sak-reconcile/report@1'),
  mode: z.enum(['dry-run', 'apply']),
  /** The playbook's name; reports of earlier versions have none. */
  playbook: z.string().optional(),
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  exitCode: z.number(),
  summary: z.object({
    hosts: z.partialRecord(HostStatus, z.number()),
    tasks: z.partialRecord(TaskStatus, z.number()),
  }),
  /** What is known to hurt in what the playbook sets; reports of earlier versions have none. */
  advice: z.array(Advice).optional(),
  silencedAdvice: z.array(SilencedAdvice).optional(),
  hosts: z.array(HostReport),
  /** What drifts and what did lately; only where there is a history. */
  timeline: z.array(DriftSpan).optional(),
})
export type Report = z.infer<typeof Report>

/** What happens during a run, in the order in which it does. Reports are made from these. */
export type RunEvent =
  | {
      readonly type: 'start'
      readonly mode: Report['mode']
      readonly hosts: readonly string[]
    }
  | { readonly type: 'host-start'; readonly host: string }
  | { readonly type: 'task'; readonly host: string; readonly label: string }
  /** These hosts are done, and are asked whether they are well. */
  | { readonly type: 'health'; readonly hosts: readonly string[] }
  | { readonly type: 'host'; readonly report: HostReport }
  | { readonly type: 'end'; readonly report: Report }
  /** After the end, where there is a history. */
  | { readonly type: 'timeline'; readonly timeline: readonly DriftSpan[] }

const drifted: ReadonlySet<HostStatus> = new Set<HostStatus>(['drift', 'pending', 'deferred'])
const troubled: ReadonlySet<HostStatus> = new Set<HostStatus>(['failed', 'blocked', 'interrupted', 'unreachable'])

/** Whether it differs from what it should be, or may, once what is missing is permitted or known. */
export const isDrift = (status: HostStatus): boolean => drifted.has(status)

/** Whether it failed, or could not be judged. */
export const isTrouble = (status: HostStatus): boolean => troubled.has(status)

/** The status of a host: that of the task which needs most attention. Tasks that it does not want have no say. */
export function hostStatus(tasks: readonly Pick<TaskReport, 'status' | 'when'>[]): HostStatus {
  const wanted = tasks.filter(task => task.when === undefined)
  const worst = wanted.reduce((most, task) => Math.max(most, taskStatuses.indexOf(task.status)), 0)
  return taskStatuses[worst] ?? 'ok'
}

/** Nothing was tried on such a host: somebody else was at work there, or it is not as it was when its plan was made. */
const untried: ReadonlySet<string> = new Set(['stale-plan', 'locked'])

/**
 * 0 in sync or applied, 1 a stale plan or a lock not got, 2 drift found or left, 4 something failed, was not started or could not
 * be judged, 6 both.
 */
export function exitCodeOf(hosts: readonly HostReport[]): number {
  if (hosts.some(host => host.error && untried.has(host.error.code))) return 1
  const statuses = hosts.flatMap<HostStatus>(host => [host.status, ...host.tasks.map(task => task.status)])
  const isTroubled = statuses.some(isTrouble) || hosts.some(host => host.error !== null)
  return (statuses.some(isDrift) ? 2 : 0) + (isTroubled ? 4 : 0)
}

/** How many there are of each status. */
export function countBy<S extends string>(statuses: readonly S[]): Partial<Record<S, number>> {
  const counts: Partial<Record<S, number>> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
