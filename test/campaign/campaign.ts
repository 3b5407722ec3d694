import { z } from 'zod'
import { isSakError } from '../../src/core/errors.ts'
import type { TestHost } from '../e2e/harness.ts'
import { breakAt, type CaseResult, type Ends, findEnds, freshen, verdicts } from './case.ts'
import { type Fault, faults } from './faults.ts'
import { named, type Subject, subjects } from './subjects.ts'
import type { Point } from './trap.ts'

/** Where faults are made: at each step boundary, at all that is made durable (within steps too), or at a few of them. */
export type Density = 'every' | 'boundaries' | 'few'

export interface CampaignOptions {
  readonly hosts: readonly TestHost[]
  readonly density: Density
  /** Names, in the order in which they are taken; default all. */
  readonly subjects?: readonly string[] | undefined
  readonly faults?: readonly string[] | undefined
  /** Cases that are not made again: an earlier campaign's. */
  readonly known?: readonly CaseDone[]
  /** Told of each case. */
  readonly onCase?: (done: CaseDone) => void
}

export const CaseDone = z.strictObject({
  host: z.string(),
  subject: z.string(),
  fault: z.string(),
  point: z.strictObject({ call: z.number(), what: z.string(), step: z.number() }),
  verdict: z.enum(verdicts),
  /** What is not as it should be; empty where all is well. */
  wrong: z.array(z.string()),
  seconds: z.number(),
})
export type CaseDone = z.infer<typeof CaseDone>

/** A fault to be made at all places of a subject. */
interface Job {
  readonly subject: Subject
  readonly fault: Fault
}

/** Breaks the apply of each subject with each fault at each of its points; hosts take what comes next from one list. */
export async function campaign(options: CampaignOptions): Promise<readonly CaseDone[]> {
  const left = jobsOf(options)
  const done: CaseDone[] = []
  await Promise.all(
    options.hosts.map(async host => {
      const endsOf = new Map<Subject, Ends>()
      for (let job = left.shift(); job; job = left.shift()) {
        for await (const result of breakSubject(host, job, endsOf, options)) {
          done.push(result)
          options.onCase?.(result)
        }
      }
    }),
  )
  return done
}

function jobsOf({ hosts, subjects: wanted, faults: made }: CampaignOptions): Job[] {
  const isFull = hosts.every(({ tier }) => tier === 'full')
  const possible = <T extends Subject | Fault>(all: readonly T[], names: readonly string[] | undefined) =>
    (names ? names.map(name => named(all, name)) : all).filter(({ fullOnly }) => !fullOnly || isFull)
  return possible(subjects, wanted).flatMap(subject => possible(faults, made).map(fault => ({ subject, fault })))
}

async function* breakSubject(
  host: TestHost,
  { subject, fault }: Job,
  endsOf: Map<Subject, Ends>,
  options: CampaignOptions,
): AsyncGenerator<CaseDone> {
  const begun = performance.now()
  const ends = endsOf.get(subject) ?? (await findEnds(host, subject).catch((error: unknown) => ({ error })))
  const took = () => (performance.now() - begun) / 1000
  if ('error' in ends) {
    await freshen(host)
    const wrong = [`an apply to which nothing happens: ${ends.error}`.slice(0, 3000)]
    const point = { call: 0, what: 'begin', step: -1 }
    yield { subject: subject.name, fault: fault.name, point, verdict: 'HALF', wrong, host: host.name, seconds: took() }
    return
  }
  endsOf.set(subject, ends)
  for (const point of pointsFor(fault, ends, subject, options.density)) {
    const what = { subject: subject.name, fault: fault.name, point }
    if (options.known?.some(known => isSame(known, what))) continue
    const started = performance.now()
    const result = await judged(breakAt(host, subject, ends, { fault, point }))
    const seconds = (performance.now() - started) / 1000
    // what one case broke must not be found again by the next
    if (result.wrong.length > 0) await freshen(host)
    yield { ...what, ...result, host: host.name, seconds }
  }
}

const isSame = (a: CaseDone, b: Pick<CaseDone, 'subject' | 'fault' | 'point'>) =>
  a.subject === b.subject && a.fault === b.fault && a.point.call === b.point.call

/** A case that cannot be judged is not one in which all is well. */
async function judged(result: Promise<CaseResult>): Promise<CaseResult> {
  return result.catch((error: unknown) => {
    const said = isSakError(error) ? ` ${error.said}` : ''
    return { verdict: 'HALF', wrong: [`cannot be judged: ${error}${said}`] }
  })
}

function pointsFor(fault: Fault, { points, steps }: Ends, subject: Subject, density: Density): readonly Point[] {
  const possible = points.filter(point => fault.applies(point, steps, subject))
  if (density === 'every') return possible
  const boundaries = possible.filter(({ what }) => what === 'journal' || what === 'step' || what === 'commit')
  if (density === 'boundaries') return boundaries
  const middle = boundaries[Math.floor(boundaries.length / 2)]
  return middle ? [middle] : []
}
