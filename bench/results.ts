import { z } from 'zod'
import { Scenario, Who } from './contenders.ts'

/** What one contender took for one scenario, a number for each round. */
export const Series = z.object({
  scenario: Scenario,
  hosts: z.int(),
  forks: z.int(),
  who: Who,
  /** Milliseconds that a round trip to a host took; 0 on this machine. */
  delayMs: z.number(),
  wallMs: z.array(z.number()),
  /** Of the client, user and system together. */
  cpuMs: z.array(z.number()),
  /** The most that one of its processes had resident. */
  peakMiB: z.array(z.number()),
  /** Of all its processes together, what they share counted once: sampled in a run that was not timed. */
  memory: z.array(z.object({ atMs: z.number(), MiB: z.number(), descriptors: z.number() })).optional(),
  /** What went over the wire in one run. */
  traffic: z
    .object({ connections: z.number(), sent: z.number(), received: z.number(), roundTrips: z.number() })
    .optional(),
})
export type Series = z.infer<typeof Series>

/** What a run of the bench found. */
export const Results = z.object({
  at: z.iso.datetime(),
  node: z.string(),
  cores: z.int(),
  commit: z.string(),
  series: z.array(Series),
})
export type Results = z.infer<typeof Results>

/** The middle of some numbers, and the least and the most. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return { median: at(Math.floor((sorted.length - 1) / 2)), least: at(0), most: at(sorted.length - 1) }
}

/** How many times as long as another one took, round by round: what disturbs the machine disturbs both. */
export function ratios(one: readonly number[], other: readonly number[]): Spread {
  return spread(one.map((value, round) => value / (other[round] ?? Number.NaN)))
}
