import { z } from 'zod'
import type { HostFacts } from './facts.ts'
import type { Task } from './task.ts'

/** The memory that a task lets its services use at most. */
export interface Footprint {
  readonly MiB: number
  /** How it comes about: `2 x 850`. */
  readonly what: string
}

/** The memory that a host has, and what its tasks together let their services use of it. */
export const Budget = z.object({
  ramMiB: z.number(),
  plannedMiB: z.number(),
  /** A part for each task that has one, and one for the system. */
  parts: z.array(z.object({ task: z.string(), MiB: z.number(), what: z.string() })),
})
export type Budget = z.infer<typeof Budget>

/**
 * The system itself and what no task accounts for: kernel, systemd, sshd, journal, cron, PM2's own daemon. The t3.small guide says
 * 300 to 400 MB.
 */
export const system = { task: 'system', MiB: 350, what: "kernel, systemd, sshd, PM2's daemon" } as const

/** Adds up the footprints of tasks; none where no task has one. */
export function budgetOf(tasks: readonly Task[], facts: HostFacts): Budget | undefined {
  const parts = tasks.flatMap(task => {
    const footprint = task.footprint?.(facts)
    return footprint ? [{ task: task.label, MiB: Math.ceil(footprint.MiB), what: footprint.what }] : []
  })
  if (parts.length === 0) return undefined
  const all = [...parts, system]
  return { ramMiB: facts.ramMiB, plannedMiB: all.reduce((sum, { MiB }) => sum + MiB, 0), parts: all }
}

export const isOver = ({ ramMiB, plannedMiB }: Budget) => plannedMiB > ramMiB

/** The part that takes most: where to begin to save. */
export function largestPart({ parts }: Budget): Budget['parts'][number] {
  return parts.reduce((most, part) => (part.MiB > most.MiB ? part : most))
}
