import { z } from 'zod'

/**
 * What an item is about: a key that differs (`drift`), a host or task that cannot be judged (`failure`), a notifier that cannot be
 * reached (`notifier`), an ignore rule that has expired or matches nothing (`rule`).
 */
export const DriftSubject = z.enum(['drift', 'failure', 'notifier', 'rule'])
export type DriftSubject = z.infer<typeof DriftSubject>

/** What differs, bounded: long values and diffs are cut, and say so. */
export const DriftChange = z.object({ before: z.unknown(), after: z.unknown(), diff: z.string().optional() })
export type DriftChange = z.infer<typeof DriftChange>

/** One thing that is not as it should be, from when it was first seen until it is resolved. */
export const DriftItem = z.object({
  /** Of this occurrence: no other has it, in no history. */
  id: z.string(),
  /** Of the host, task and key: the same each time that it drifts. */
  place: z.string(),
  /** Of the place and what is found there: the same as long as it drifts in the same way. */
  fingerprint: z.string(),
  subject: DriftSubject,
  host: z.string().nullable(),
  /** The task's label; `null` for what concerns a whole host or none. */
  task: z.string().nullable(),
  /** `saved`, `running` or `boot`; for a failure the code of its error, for a notifier or rule its name. */
  key: z.string(),
  path: z.string().optional(),
  /** Within the key, where that is a record: `vm.swappiness`, `mode`. */
  entry: z.string().optional(),
  change: DriftChange.optional(),
  /** Why something cannot be judged. */
  message: z.string().optional(),
  /** Who made it differ: a change on the host, or one of the playbook; unknown where it was not seen in sync before. */
  origin: z.enum(['host', 'playbook', 'unknown']),
  firstSeen: z.iso.datetime(),
  lastSeen: z.iso.datetime(),
  /** Since when it differs in this way. */
  valueSince: z.iso.datetime(),
  /** In how many runs it was seen. */
  times: z.int(),
  /** Whether somebody was told that it is there; not where a rule says to ignore it. */
  reported: z.boolean(),
  /** When somebody was last told. */
  toldAt: z.iso.datetime().optional(),
  /** The reason of the rule that silences it. */
  ignored: z.string().optional(),
})
export type DriftItem = z.infer<typeof DriftItem>

/**
 * Who resolved an item: our own apply, somebody else on the host, a change of the playbook; or nobody, and a rule says to ignore
 * it from now on.
 */
export const ResolvedBy = z.enum(['us', 'outside', 'playbook', 'ignored'])
export type ResolvedBy = z.infer<typeof ResolvedBy>

/** A change of what is known, to be told once. */
export const DriftEvent = z.object({
  /** No other event has it, in no history: whoever is told twice can know. */
  id: z.string(),
  kind: z.enum(['new', 'changed', 'resolved', 'reminder']),
  at: z.iso.datetime(),
  /** The run that found it. */
  run: z.string(),
  by: ResolvedBy.optional(),
  item: DriftItem,
})
export type DriftEvent = z.infer<typeof DriftEvent>

/** A run, as the history keeps it. */
export const RunRecord = z.object({
  id: z.string(),
  mode: z.enum(['drift', 'apply']),
  at: z.iso.datetime(),
  durationMs: z.number(),
  exitCode: z.number(),
  /** How many hosts there are of each status. */
  hosts: z.record(z.string(), z.number()),
})
export type RunRecord = z.infer<typeof RunRecord>

/** What a task was meant to do, as digests: tells a change of the playbook from one of the host. */
export const Intent = z.object({
  /** Of the module's name and params. */
  params: z.string(),
  /** Of what each key should be. */
  desired: z.record(z.string(), z.string()),
})
export type Intent = z.infer<typeof Intent>
