import { setTimeout as sleep } from 'node:timers/promises'
import { after } from '../core/deadline.ts'
import type { DriftEvent, DriftItem } from '../core/drift.ts'
import { fingerprintOf, placeOf } from './fingerprint.ts'
import type { Message, Notifier } from './notify/message.ts'
import type { CommitInput, State } from './state.ts'
import type { Store } from './store.ts'

/** Most events in one message. */
const mostEvents = 100

/** The words of a message. */
export type Words = (events: readonly DriftEvent[]) => Pick<Message, 'title' | 'text'>

export interface DeliverOptions {
  readonly notifiers: readonly Notifier[]
  readonly playbook: string
  readonly words: Words
  /** Names the run in what is kept. */
  readonly run: string
  readonly at: string
  readonly signal?: AbortSignal
}

/** A notifier that could not be reached, and why. */
export interface Unreached {
  readonly name: string
  readonly why: string
  /** It was so before this run, and was told then. */
  readonly isKnown: boolean
}

/**
 * Tells every notifier what waits for it, also from earlier runs. What could not be told waits on; that it could not is itself
 * told, by the others.
 */
export async function deliver(store: Store, options: DeliverOptions): Promise<readonly Unreached[]> {
  const results = await Promise.all(options.notifiers.map(notifier => tellAll(notifier, store.state(), options)))
  const down = downNotifiers(store.state())
  const unreached = results.flatMap(({ name, why }) =>
    why === undefined ? [] : [{ name, why, isKnown: down.has(name) }],
  )
  const commit = afterTelling(store.state(), results, options)
  if (!commit) return unreached
  await store.commit(commit)
  const others = options.notifiers.filter(({ name }) => !unreached.some(each => each.name === name))
  if (commit.events?.length) {
    const again = await Promise.all(others.map(notifier => tellAll(notifier, store.state(), options)))
    const told = again.map(({ name, told }) => ({ to: name, events: [...told] }))
    if (told.some(({ events }) => events.length > 0)) await store.commit({ at: options.at, told })
  }
  return unreached
}

interface Telling {
  readonly name: string
  readonly told: readonly string[]
  /** Why not all could be told. */
  readonly why?: string
}

async function tellAll(notifier: Notifier, state: State, options: DeliverOptions): Promise<Telling> {
  const { name } = notifier
  const events = state.waiting.filter(({ to }) => to.includes(name)).map(({ event }) => event)
  const told: string[] = []
  for (let first = 0; first < events.length; first += mostEvents) {
    const some = events.slice(first, first + mostEvents)
    const why = await tell(
      notifier,
      { playbook: options.playbook, events: some, ...options.words(some) },
      options.signal,
    )
    if (why !== undefined) return { name, told, why }
    told.push(...some.map(({ id }) => id))
  }
  return { name, told }
}

/** Tries a few times. Answers why it did not work. */
export async function tell(notifier: Notifier, message: Message, signal?: AbortSignal): Promise<string | undefined> {
  const { tries, timeoutMs } = notifier
  for (let attempt = 1; ; attempt++) {
    const late = after(timeoutMs)
    try {
      await orLate(notifier.send(message, signal ? AbortSignal.any([signal, late]) : late), late)
      return undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (attempt >= tries || signal?.aborted) return late.aborted ? `no answer within ${timeoutMs / 1000} s` : why
      await sleep(500 * 2 ** (attempt - 1), undefined, signal ? { signal } : {}).catch(() => {})
    }
  }
}

/** A library that does not heed the signal is not waited for. */
function orLate(sending: Promise<void>, late: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    late.addEventListener('abort', () => reject(new Error('too late')), { once: true })
    sending.then(resolve, reject)
  })
}

/** What was told, and which notifiers turned out to be down or up again; nothing where there is nothing to keep. */
function afterTelling(state: State, results: readonly Telling[], options: DeliverOptions): CommitInput | undefined {
  const { at, run, notifiers } = options
  const down = downNotifiers(state)
  const failed = results.filter(({ name, why }) => why !== undefined && !down.has(name))
  const opened = failed.map(({ name, why = '' }) => downItem(state, { name, why }, at))
  const isUp = (name: string) =>
    results.some(each => each.name === name && each.why === undefined && each.told.length > 0)
  const isGone = (name: string) => name !== 'output' && !notifiers.some(each => each.name === name)
  const closed = [...down.values()].filter(({ key }) => isUp(key) || isGone(key))
  const told = results.map(({ name, told }) => ({ to: name, events: [...told] }))
  const dropped = gone(state, notifiers).map(name => ({ to: name, events: state.waiting.map(({ event }) => event.id) }))
  if (opened.length + closed.length + dropped.length === 0 && told.every(({ events }) => events.length === 0))
    return undefined
  const drafts = [
    ...opened.map(item => ({ kind: 'new' as const, item })),
    ...closed.map(item => ({ kind: 'resolved' as const, item, by: 'outside' as const })),
  ]
  const events = drafts.map((draft, index) => ({ ...draft, id: `${state.store}-${state.seq + 1}-n${index}`, at, run }))
  const to = notifiers.map(({ name }) => name).filter(name => !failed.some(each => each.name === name))
  return { at, items: opened, closed: closed.map(({ id }) => id), events, to, told: [...told, ...dropped] }
}

/** Notifiers that could not be reached before, by name. */
const downNotifiers = ({ items }: State): ReadonlyMap<string, DriftItem> =>
  new Map(Object.values(items).flatMap(item => (item.subject === 'notifier' ? [[item.key, item]] : [])))

/** Notifiers that the config no longer has. What prints is told by the runs that print. */
function gone({ waiting }: State, notifiers: readonly Notifier[]): readonly string[] {
  const names = new Set(waiting.flatMap(({ to }) => to))
  return [...names].filter(name => name !== 'output' && !notifiers.some(each => each.name === name))
}

function downItem({ store, seq }: State, { name, why }: Omit<Unreached, 'isKnown'>, at: string): DriftItem {
  const where = { subject: 'notifier' as const, host: null, task: null, key: name }
  const place = placeOf(where)
  const times = { firstSeen: at, lastSeen: at, valueSince: at, toldAt: at, times: 1 }
  const fingerprint = fingerprintOf(place, undefined, undefined)
  return {
    ...where,
    id: `${store}-${seq + 1}-${place}`,
    place,
    fingerprint,
    message: why,
    origin: 'unknown',
    ...times,
    reported: true,
  }
}
