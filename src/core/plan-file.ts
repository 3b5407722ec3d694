import { createHmac, scryptSync } from 'node:crypto'
import { z } from 'zod'
import { isUnreadable } from './change.ts'
import { ReportChange, ReportStep, TaskStatus } from './report.ts'
import type { Step } from './step.ts'

/** A task of a plan: what a reviewer reads, and the digest that ties it to the host as it was. */
const PlannedTask = z.strictObject({
  label: z.string(),
  module: z.string(),
  /** Of a module that says which version it is; those of sak-reconcile have its version. */
  moduleVersion: z.string().optional(),
  status: TaskStatus,
  /** Of what was there, what should be and the steps, keyed: it changes as soon as one of them does. */
  digest: z.string(),
  changes: z.array(ReportChange),
  steps: z.array(ReportStep),
  /** The labels of the tasks that it is one transaction with. */
  together: z.array(z.string()).optional(),
})

const PlannedHost = z.strictObject({
  name: z.string(),
  /** The host's /etc/machine-id: a plan is for one machine. */
  machineId: z.string().nullable(),
  tasks: z.array(PlannedTask),
})
export type PlannedHost = z.infer<typeof PlannedHost>

/** A plan that was saved to be reviewed, and applied exactly or refused. */
export const PlanFile = z.strictObject({
  schema: z.literal('sak-reconcile/plan@1'),
  /** The version of sak-reconcile that made it: another one might make other steps, and refuses. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** Keys the digests. */
  key: z.string(),
  /** What it was made from, as the command line had it. */
  source: z.strictObject({
    playbook: z.string().optional(),
    inventory: z.array(z.string()).optional(),
    vars: z.record(z.string(), z.unknown()),
    tags: z.array(z.string()).optional(),
    skipTags: z.array(z.string()).optional(),
    allow: z.string().optional(),
    allowOverBudget: z.boolean().optional(),
    /** How the hosts were logged in to, without any secret. */
    login: z
      .strictObject({
        user: z.string().optional(),
        become: z.boolean().optional(),
        privateKey: z.string().optional(),
        jump: z.string().optional(),
        hostKeyChecking: z.enum(['strict', 'accept-new', 'off']).optional(),
      })
      .optional(),
  }),
  hosts: z.array(PlannedHost),
})
export type PlanFile = z.infer<typeof PlanFile>
export type PlanSource = PlanFile['source']

/** What a task's digest is made of. */
export interface Digested {
  readonly status: string
  readonly current: unknown
  readonly desired: unknown
  readonly steps: readonly Step[]
  readonly moduleVersion: string | undefined
  readonly together: readonly string[] | undefined
}

/** The keyed digest of what a task found and would do. What tells nothing (times of files) is left out. */
export function planDigest(key: string, digested: Digested): string {
  return createHmac('sha256', key).update(textOf(digested)).digest('hex')
}

/**
 * The same over the values of secrets, so that a plan is stale when one has changed. The key stands in the plan beside it: scrypt makes
 * it slow (some 50 ms) to try guesses against the digest.
 */
export function secretPlanDigest(key: string, digested: Digested, reveal: (text: string) => string): string {
  return scryptSync(reveal(textOf(digested)), key, 32, { N: 2 ** 14, r: 8, p: 1 }).toString('hex')
}

const textOf = (digested: Digested): string => JSON.stringify(digested, normalise)

function normalise(name: string, value: unknown): unknown {
  if (name === 'stat') return undefined
  return isUnreadable(value) ? { unreadable: value.error.code } : value
}
