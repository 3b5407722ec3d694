import type { TestHost } from '../e2e/harness.ts'
import { breakAt, type CaseResult, type Ends, findEnds, freshen } from './case.ts'
import { type Fault, faults } from './faults.ts'
import { type Subject, subjects } from './subjects.ts'
import type { Point } from './trap.ts'

/** Where faults are made: at each step boundary, at all that is made durable (within steps too), or at a few of them. */
export type Density = 'every' | 'boundaries' | 'few'

export interface CampaignOptions {
  readonly hosts: readonly TestHost[]
  readonly density: Density
  /** Names; default all. */
  readonly subjects?: readonly string[] | undefined
  readonly faults?: readonly string[] | undefined
  /** Told of each case. */
  readonly onCase?: (done: CaseDone) => void
}

export interface CaseDone extends CaseResult {
  readonly host: string
  readonly subject: string
  readonly fault: string
  readonly point: Point
  readonly seconds: number
}

/** Breaks the apply of each subject with each fault at each of its points; hosts take subjects from one list. */
export async function campaign(options: CampaignOptions): Promise<readonly CaseDone[]> {
  const tier = options.hosts[0]?.tier
  const left = subjects.filter(
    ({ name, fullOnly }) => (options.subjects?.includes(name) ?? true) && (!fullOnly || tier === 'full'),
  )
  const done: CaseDone[] = []
  await Promise.all(
    options.hosts.map(async host => {
      for (let subject = left.shift(); subject; subject = left.shift()) {
        for await (const result of breakSubject(host, subject, options)) {
          done.push(result)
          options.onCase?.(result)
        }
      }
    }),
  )
  return done
}

async function* breakSubject(host: TestHost, subject: Subject, options: CampaignOptions): AsyncGenerator<CaseDone> {
  const ends = await findEnds(host, subject)
  for (const fault of faults) {
    if (options.faults ? !options.faults.includes(fault.name) : fault.fullOnly && host.tier !== 'full') continue
    for (const point of pointsFor(fault, ends, subject, options.density)) {
      const started = performance.now()
      const result = await breakAt(host, subject, ends, { fault, point })
      const seconds = (performance.now() - started) / 1000
      // what one case broke must not be found again by the next
      if (result.wrong.length > 0) await freshen(host)
      yield { ...result, host: host.name, subject: subject.name, fault: fault.name, point, seconds }
    }
  }
}

function pointsFor(fault: Fault, { points, steps }: Ends, subject: Subject, density: Density): readonly Point[] {
  const possible = points.filter(point => fault.applies(point, steps, subject))
  if (density === 'every') return possible
  const boundaries = possible.filter(({ what }) => what === 'journal' || what === 'step' || what === 'commit')
  if (density === 'boundaries') return boundaries
  const middle = boundaries[Math.floor(boundaries.length / 2)]
  return middle ? [middle] : []
}
