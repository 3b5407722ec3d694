import type { DriftEvent, DriftItem, ResolvedBy } from '../core/drift.ts'
import type { Commit, State } from './state.ts'

/** Something that drifted, or could not be judged: one occurrence. */
export interface Occurrence {
  readonly item: DriftItem
  readonly changes: number
  readonly resolvedAt?: string
  readonly by?: ResolvedBy
}

/** Something that comes and goes. */
export interface Flap {
  readonly item: DriftItem
  readonly times: number
}

export interface Timeline {
  readonly runs: number
  readonly lastRun: State['lastRun']
  /** In the order in which they were first seen. */
  readonly occurrences: readonly Occurrence[]
  /** What came at least three times, the most often first. */
  readonly flaps: readonly Flap[]
  /** Milliseconds from first seen to resolved, on average over what was resolved; by whom. None where nothing was. */
  readonly meanMsToMend: Readonly<Partial<Record<ResolvedBy | 'all', number>>>
}

/** Comes and goes at least so often. */
const flapping = 3

/** The history as a timeline of what `wanted` takes. Pure. */
export function timelineOf(
  { state, commits }: { readonly state: State | undefined; readonly commits: readonly Commit[] },
  wanted: (item: DriftItem) => boolean,
  since?: string,
): Timeline {
  const recent = commits.filter(({ at }) => since === undefined || at >= since)
  const events = recent.flatMap(commit => commit.events).filter(({ item }) => wanted(item))
  const occurrences = occurrencesOf(Object.values(state?.items ?? {}).filter(wanted), events)
  return {
    runs: recent.filter(({ run }) => run !== undefined).length,
    lastRun: state?.lastRun ?? null,
    occurrences,
    flaps: flapsOf(occurrences),
    meanMsToMend: meansOf(occurrences),
  }
}

function occurrencesOf(open: readonly DriftItem[], events: readonly DriftEvent[]): readonly Occurrence[] {
  const byId = new Map<string, Occurrence>()
  for (const { kind, item, at, by } of events) {
    const { changes = 0 } = byId.get(item.id) ?? {}
    const end = kind === 'resolved' && { resolvedAt: at, ...(by && { by }) }
    byId.set(item.id, { item, changes: changes + (kind === 'changed' ? 1 : 0), ...end })
  }
  for (const item of open) {
    const { changes = 0 } = byId.get(item.id) ?? {}
    byId.set(item.id, { item, changes })
  }
  return [...byId.values()].sort((a, b) => (a.item.firstSeen < b.item.firstSeen ? -1 : 1))
}

function flapsOf(occurrences: readonly Occurrence[]): readonly Flap[] {
  const places = new Map<string, Flap>()
  for (const { item } of occurrences) {
    places.set(item.place, { item, times: (places.get(item.place)?.times ?? 0) + 1 })
  }
  return [...places.values()].filter(({ times }) => times >= flapping).sort((a, b) => b.times - a.times)
}

/** A clock that was set back makes no negative times. */
const msToMend = ({ item, resolvedAt = item.firstSeen }: Occurrence) =>
  Math.max(0, Date.parse(resolvedAt) - Date.parse(item.firstSeen))

function meansOf(occurrences: readonly Occurrence[]): Timeline['meanMsToMend'] {
  const mended = occurrences.filter(({ item, by }) => item.subject === 'drift' && by !== undefined && by !== 'ignored')
  const mean = (some: readonly Occurrence[]) => some.reduce((sum, each) => sum + msToMend(each), 0) / some.length
  const means: Partial<Record<ResolvedBy | 'all', number>> = mended.length > 0 ? { all: mean(mended) } : {}
  for (const by of ['us', 'outside', 'playbook'] as const) {
    const some = mended.filter(each => each.by === by)
    if (some.length > 0) means[by] = mean(some)
  }
  return means
}
