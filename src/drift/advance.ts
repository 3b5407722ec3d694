import type { DriftEvent, DriftItem, Intent, ResolvedBy } from '../core/drift.ts'
import type { Ignoring } from './ignore.ts'
import { type Finding, findingsOf, type Observation, type ObservedHost, verdictOn } from './observe.ts'
import type { CommitInput, State } from './state.ts'

export interface AdvanceOptions {
  readonly ignoring: Ignoring
  /** Milliseconds after which somebody is told again of what is still there; never, where it is left out. */
  readonly remindMs?: number
}

type Draft = Omit<DriftEvent, 'id' | 'at' | 'run'>

/** What a run changes of what is known, and what is to be told of it. Pure. */
export function advance(state: State, observation: Observation, options: AdvanceOptions): CommitInput {
  const { run, hosts, isWhole } = observation
  const known = new Map(Object.values(state.items).map(item => [item.place, item]))
  const onHosts = hosts.flatMap(host => findingsOf(host, observation))
  const rules = options.ignoring.useAfter(onHosts, state)
  const findings = isWhole ? [...onHosts, ...options.ignoring.stale(rules)] : onHosts
  const [found, mended] = [findings.filter(each => !each.isMended), findings.filter(each => each.isMended)]
  const places = new Set(found.map(({ place }) => place))
  const seen = found.map(finding => seeAgain(known.get(finding.place), finding, state, observation, options))
  const passing = mended.filter(({ place }) => !known.has(place) && !places.has(place))
  const brief = passing.map(finding => seeMended(finding, state, observation, options))
  const gone = [...known.values()].filter(({ place }) => !places.has(place))
  const verdicts = gone.map(item => ({ item, verdict: verdictOf(item, observation) }))
  const closed = verdicts.filter(({ verdict }) => verdict !== 'unknown').map(({ item }) => item)
  const drafts = [
    ...[...seen, ...brief].flatMap(({ events }) => events),
    ...closed.flatMap(item => resolved(item, resolvedBy(item, state, observation))),
  ]
  return {
    at: run.at,
    run,
    items: seen.flatMap(({ item }) => (item ? [item] : [])),
    closed: closed.map(({ id }) => id),
    unseen: verdicts.filter(({ verdict }) => verdict === 'unknown').map(({ item }) => item.id),
    intents: changedIntents(state, hosts),
    goneHosts: isWhole ? Object.keys(state.intents).filter(name => !hosts.some(each => each.report.name === name)) : [],
    rules,
    events: drafts.map((draft, index) => ({ ...draft, id: idOf(state, `e${index}`), at: run.at, run: run.id })),
  }
}

const idOf = ({ store, seq }: State, suffix: string) => `${store}-${seq + 1}-${suffix}`

function verdictOf(item: DriftItem, observation: Observation) {
  if (item.subject === 'notifier') return 'unknown' // only telling it shows whether it is well
  if (item.subject === 'rule') return observation.isWhole ? 'absent' : 'unknown'
  return verdictOn(item, observation)
}

interface Sight {
  /** The item, where it is new or differs from before. */
  readonly item?: DriftItem
  readonly events: readonly Draft[]
}

function seeAgain(
  known: DriftItem | undefined,
  finding: Finding,
  state: State,
  observation: Observation,
  options: AdvanceOptions,
): Sight {
  const { at } = observation.run
  const ignored = options.ignoring.ruleFor(finding)?.reason
  const before = known ?? open(finding, state, observation)
  const isOther = known !== undefined && known.fingerprint !== finding.fingerprint
  const { ignored: _, ...rest } = before
  const now: DriftItem = {
    ...rest,
    ...latest(finding),
    ...(known && { lastSeen: at, times: known.times + 1 }),
    ...(isOther && { valueSince: at, origin: originOf(finding, state, observation) }),
    ...(ignored !== undefined && { ignored }),
  }
  const kind = kindOf(known, now, { at, isOther, remindMs: options.remindMs })
  if (kind === 'resolved') return { item: { ...now, reported: false }, events: resolved(now, 'ignored') }
  if (kind === undefined) {
    const isSame = known !== undefined && !isOther && known.ignored === ignored
    return isSame ? { events: [] } : { item: now, events: [] }
  }
  const item = { ...now, reported: true, toldAt: at }
  return { item, events: [{ kind, item }] }
}

/** What is to be told of an item that is there; nothing, where all is as it was told before. */
function kindOf(
  known: DriftItem | undefined,
  { ignored, toldAt, reported }: DriftItem,
  { at, isOther, remindMs }: { at: string; isOther: boolean; remindMs: number | undefined },
): DriftEvent['kind'] | undefined {
  if (ignored !== undefined) return reported ? 'resolved' : undefined
  if (!known || !reported) return 'new'
  if (isOther) return 'changed'
  const isDue = remindMs !== undefined && toldAt !== undefined && Date.parse(at) - Date.parse(toldAt) >= remindMs
  return isDue ? 'reminder' : undefined
}

/** What our own apply found and mended in one go was there all the same. */
function seeMended(finding: Finding, state: State, observation: Observation, { ignoring }: AdvanceOptions): Sight {
  if (ignoring.ruleFor(finding)) return { events: [] }
  const item = { ...open(finding, state, observation), reported: true }
  return {
    events: [
      { kind: 'new', item },
      { kind: 'resolved', by: 'us', item },
    ],
  }
}

function open(finding: Finding, state: State, observation: Observation): DriftItem {
  const { isMended: _, ...rest } = finding
  const { at } = observation.run
  const origin = originOf(finding, state, observation)
  const times = { firstSeen: at, lastSeen: at, valueSince: at, times: 1 }
  return { ...rest, id: idOf(state, finding.place), origin, ...times, reported: false }
}

const latest = ({ fingerprint, change, message }: Finding) => ({
  fingerprint,
  ...(change && { change }),
  ...(message !== undefined && { message }),
})

/** Who made it differ: the playbook, where the task was given other params and what the key should be changed with them. */
function originOf({ subject, host, task, key }: Finding, state: State, { hosts }: Observation): DriftItem['origin'] {
  if (subject !== 'drift' || host === null || task === null) return 'unknown'
  const before = state.intents[host]
  const now = hosts.find(({ report }) => report.name === host)?.intents[task]
  if (!before || !now) return 'unknown'
  return isOtherIntent(before[task], now, key) ? 'playbook' : 'host'
}

const isOtherIntent = (before: Intent | undefined, now: Intent, key: string) =>
  before === undefined || (before.params !== now.params && before.desired[key] !== now.desired[key])

function resolvedBy(item: DriftItem, state: State, { hosts, run }: Observation): ResolvedBy {
  const host = hosts.find(({ report }) => report.name === item.host)
  if (!host || item.subject === 'rule') return 'playbook'
  if (item.task === null) return 'outside'
  if (!host.labels.includes(item.task)) return 'playbook'
  const task = host.report.tasks.find(({ label }) => label === item.task)
  const isOurs = run.mode === 'apply' && task?.status === 'changed' && task.changes.some(({ key }) => key === item.key)
  if (isOurs) return 'us'
  const before = state.intents[host.report.name]?.[item.task]
  const now = host.intents[item.task]
  return before && now && isOtherIntent(before, now, item.key) ? 'playbook' : 'outside'
}

/** Of what nobody was told, nobody is told that it is gone. */
function resolved(item: DriftItem, by: ResolvedBy): Draft[] {
  return item.reported ? [{ kind: 'resolved', by, item }] : []
}

/** The intents of hosts where one is not as it was. Tasks of which nothing was learned keep theirs. */
function changedIntents(state: State, hosts: readonly ObservedHost[]): State['intents'] {
  const changed = hosts.flatMap(({ report, labels, intents }) => {
    const before = state.intents[report.name] ?? {}
    const merged = { ...before, ...intents }
    const kept = Object.fromEntries(Object.entries(merged).filter(([label]) => labels.includes(label)))
    const isSame = JSON.stringify(sorted(kept)) === JSON.stringify(sorted(before))
    return isSame || report.tasks.length === 0 ? [] : [[report.name, kept] as const]
  })
  return Object.fromEntries(changed)
}

const sorted = (intents: Readonly<Record<string, Intent>>) =>
  Object.entries(intents).sort(([a], [b]) => (a < b ? -1 : 1))
