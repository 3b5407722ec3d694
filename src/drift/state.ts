import { z } from 'zod'
import { DriftEvent, DriftItem, Intent, RunRecord } from '../core/drift.ts'

const Ids = z.array(z.string())

/** An event and those who have yet to be told of it. */
const Waiting = z.object({ event: DriftEvent, to: Ids })

/** When an ignore rule came, and when it last silenced something. */
const RuleUse = z.object({ since: z.iso.datetime(), lastUsed: z.iso.datetime().nullable() })

/** What a history comes to: all that the next run must know. */
export const State = z.object({
  /** Tells this history from others. */
  store: z.string(),
  /** The number of the last commit. */
  seq: z.int(),
  /** What is not as it should be, by id. */
  items: z.record(z.string(), DriftItem),
  /** What was meant, by host and task. */
  intents: z.record(z.string(), z.record(z.string(), Intent)),
  waiting: z.array(Waiting),
  rules: z.record(z.string(), RuleUse),
  lastRun: RunRecord.nullable(),
})
export type State = z.infer<typeof State>

/** What one commit changes. Every part may be left out. */
export const Commit = z.object({
  seq: z.int(),
  at: z.iso.datetime(),
  run: RunRecord.optional(),
  /** Items that are new or differ from before in more than when they were seen. */
  items: z.array(DriftItem).default([]),
  /** Items that are there no more. */
  closed: Ids.default([]),
  /** Items that the run could not judge; all others were seen by it. */
  unseen: Ids.default([]),
  intents: z.record(z.string(), z.record(z.string(), Intent)).default({}),
  /** Hosts that the playbook is no longer for. */
  goneHosts: Ids.default([]),
  rules: z.record(z.string(), RuleUse).optional(),
  events: z.array(DriftEvent).default([]),
  /** Who is to be told of the events. */
  to: Ids.default([]),
  /** Who was told of which, and needs no more telling. */
  told: z.array(z.object({ to: z.string(), events: Ids })).default([]),
})
export type Commit = z.infer<typeof Commit>
export type CommitInput = Omit<z.input<typeof Commit>, 'seq'>

export function emptyState(store: string): State {
  return { store, seq: 0, items: {}, intents: {}, waiting: [], rules: {}, lastRun: null }
}

/** The state after a commit. Pure; commits that are read from files and those that are just made go the same way. */
export function advanceState(state: State, commit: Commit): State {
  const { seq, run } = commit
  const intents = without(state.intents, commit.goneHosts)
  return {
    ...state,
    seq,
    items: itemsAfter(state.items, commit),
    intents: Object.keys(commit.intents).length === 0 ? intents : { ...intents, ...commit.intents },
    waiting: waitingAfter(state.waiting, commit),
    rules: commit.rules ?? state.rules,
    lastRun: run ?? state.lastRun,
  }
}

function itemsAfter(before: State['items'], { run, items, closed, unseen }: Commit): State['items'] {
  const kept = Object.values(without(before, closed)).map(item => {
    const isSeen = run !== undefined && item.subject !== 'notifier' && !unseen.includes(item.id)
    return isSeen ? { ...item, lastSeen: run.at, times: item.times + 1 } : item
  })
  return Object.fromEntries([...kept, ...items].map(item => [item.id, item]))
}

function waitingAfter(before: State['waiting'], { events, to, told }: Commit): State['waiting'] {
  const isTold = (name: string, id: string) => told.some(each => each.to === name && each.events.includes(id))
  const left = before.flatMap(({ event, to: all }) => {
    const rest = all.filter(name => !isTold(name, event.id))
    return rest.length > 0 ? [{ event, to: rest }] : []
  })
  return to.length === 0 ? left : [...left, ...events.map(event => ({ event, to }))]
}

function without<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  const gone = new Set(names)
  return Object.fromEntries(Object.entries(record).filter(([name]) => !gone.has(name)))
}
