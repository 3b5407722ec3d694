import { z } from 'zod'
import type { HostReport, HostStatus } from './report.ts'
import { Duration } from './units.ts'

const percentPattern = /^(\d+(?:\.\d+)?)%$/
const expected = 'expected a number of hosts (2) or a share of them ("25%")'

/** So many hosts, or a share of all: `2`, `'25%'`. */
export type Share = number | `${number}%`

const isPercent = (text: string): text is `${number}%` => Number(percentPattern.exec(text)?.[1]) <= 100

const Percent = z.templateLiteral([z.number(), '%'], { error: expected }).refine(isPercent, { error: expected })

/** Schema of the size of a batch: at least one host. */
export const BatchSize = z.union([z.int({ error: expected }).positive(), Percent.refine(text => text !== '0%')], {
  error: expected,
})

/** Schema of how many hosts may fail: none is a number too. */
export const MaxFail = z.union([z.int({ error: expected }).nonnegative(), Percent], { error: expected })

/** Schema of the sizes of batches, one after the other; the last counts for all that follow. */
export const Serial = z.union([BatchSize, z.array(BatchSize).min(1)], { error: expected })

/** What must hold after each batch of hosts before the next begins. */
export interface Health {
  /** Must answer with a status of 200 to 299. `{address}` and `{name}` are those of each host of the batch. */
  readonly url?: string
  /** A program to run here, not on the host, that must exit with 0. The hosts' names are in its environment as SAK_HOSTS. */
  readonly command?: readonly string[]
  /** How long it is tried until it holds. Default 30s. */
  readonly within?: Duration
}

/** Schema of a health probe. */
export const Health = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/./, { error: 'expected a URL such as "http://{address}:8080/health"' })
      .optional(),
    command: z.array(z.string()).min(1).optional(),
    within: Duration.optional(),
  })
  .refine(({ url, command }) => url !== undefined || command !== undefined, { error: 'expected a url or a command' })

/** How a run goes from host to host. */
export interface RolloutOptions {
  /** Hosts per batch, as numbers or shares; of a list the last counts for all that follow. Default: all hosts at once. */
  readonly serial?: Share | readonly Share[]
  /** When more hosts than that have failed, no further one is started. Default: 0 with `serial`, without it no limit. */
  readonly maxFail?: Share
  /** Must hold after each batch before the next. */
  readonly health?: Health
}

/** `1,5,25%` as the sizes of batches. Throws ZodError. */
export function parseSerial(text: string): readonly Share[] {
  return z.array(BatchSize).min(1).parse(text.split(',').map(numberOrText))
}

/** `2` or `10%` as how many hosts may fail. Throws ZodError. */
export function parseMaxFail(text: string): Share {
  return MaxFail.parse(numberOrText(text))
}

const numberOrText = (text: string): number | string => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim())

/** The batches of a rollout, as Ansible makes them: shares are of all hosts, rounded down, and at least one host. */
export function batchesOf<T>(all: readonly T[], serial: RolloutOptions['serial']): readonly (readonly T[])[] {
  if (serial === undefined) return [all]
  const sizes = typeof serial === 'object' ? serial : [serial]
  const batches: T[][] = []
  for (let start = 0; start < all.length; ) {
    const size = Math.max(1, hostsIn(sizes[Math.min(batches.length, sizes.length - 1)] ?? 1, all.length))
    batches.push(all.slice(start, start + size))
    start += size
  }
  return batches
}

/** How many hosts may fail before no further one is started. */
export function mostFailures({ serial, maxFail }: RolloutOptions, total: number): number {
  if (maxFail !== undefined) return hostsIn(maxFail, total)
  return serial === undefined ? Number.POSITIVE_INFINITY : 0
}

function hostsIn(share: Share, total: number): number {
  if (typeof share === 'number') return share
  return Math.floor((Number(percentPattern.exec(share)?.[1] ?? 0) * total) / 100)
}

const failures: ReadonlySet<HostStatus> = new Set<HostStatus>(['failed', 'interrupted', 'unreachable'])

/** Whether a host counts as failed in a rollout. A blocked one does not: nothing was begun there that went wrong. */
export const hasFailed = ({ status }: Pick<HostReport, 'status'>): boolean => failures.has(status)

/** The report of a host that the run did not come to. */
export function notStarted(name: string, why: string): HostReport {
  const error = { code: 'not-started', message: why, host: name, task: null, step: null, said: null }
  const hint = 'mend what failed, then run again: what is done already is in sync and left alone'
  return {
    name,
    status: 'skipped',
    durationMs: 0,
    roundTrips: 0,
    tasks: [],
    error: { ...error, rollback: 'none', hint },
  }
}

/** Whether the run did not come to a host. */
export const isNotStarted = ({ error }: Pick<HostReport, 'error'>): boolean => error?.code === 'not-started'
