import { after } from './core/deadline.ts'
import type { DriftEvent, DriftItem, Intent, RunRecord } from './core/drift.ts'
import type { DriftConfig } from './core/drift-config.ts'
import { isSakError, type SakError } from './core/errors.ts'
import { selectHosts } from './core/host-pattern.ts'
import { countBy, type Report } from './core/report.ts'
import { durationMs } from './core/units.ts'
import { advance } from './drift/advance.ts'
import { deliver, tell, type Unreached, type Words } from './drift/deliver.ts'
import { brokenDetector } from './drift/detector.ts'
import { type HostedRule, type Ignoring, ignoring } from './drift/ignore.ts'
import type { Notifier } from './drift/notify/message.ts'
import { notifierOf } from './drift/notify/notifier.ts'
import { findingsOf, type Observation } from './drift/observe.ts'
import { type RunLock, takeRunLock } from './drift/run-lock.ts'
import { advanceState, Commit, emptyState } from './drift/state.ts'
import { openStore, type Store } from './drift/store.ts'
import { inventoryFor, type JobOptions, jobsOf } from './jobs.ts'

type Intents = Readonly<Record<string, Intent>>

export interface RecordOptions {
  /** Where the history of the playbook is kept. */
  readonly folder: string
  /** The playbook, as messages name it. */
  readonly playbook: string
  readonly mode: RunRecord['mode']
  readonly config: DriftConfig
  readonly jobs: JobOptions
  readonly words: Words
  /** Milliseconds after which the run has ended for sure. */
  readonly longestMs: number
  /** Milliseconds to wait for another run of the playbook to end. Default 0. */
  readonly waitMs?: number
  /** Prints what is new, where the run does so. */
  readonly output?: Notifier
  readonly warn: (message: string) => void
  readonly signal?: AbortSignal
}

/** A run that was kept. */
export interface Recorded {
  readonly report: Report
  /** Of `drift`: 2 and 4 for what no rule ignores. */
  readonly exitCode: number
  /** All that is not as it should be now. */
  readonly items: readonly DriftItem[]
}

/** What a run is given to be recorded by. */
export interface Recording {
  /** Takes the lock, once; a run that asks somebody first does so after the answer. Throws as `recorded`. */
  readonly begin: () => Promise<void>
  readonly onIntents: (host: string, intents: Intents) => void
}

/**
 * Does a run with the lock of its playbook, keeps what it found, and tells what changed. A history that cannot be kept for want of
 * room does not stop the run; a damaged one stops a look, which would tell everything anew, and no apply.
 * @throws SakError `locked`, `history-broken`, `history-newer`
 */
export async function recorded(
  options: RecordOptions,
  act: (recording: Recording) => Promise<Report>,
): Promise<Recorded> {
  const rules = hostedRules(options)
  ignoring(rules, new Date().toISOString()) // a pattern that is none is told before any host is looked at
  const intents = new Map<string, Intents>()
  let opening: Promise<OpenHistory> | undefined
  const open = () => {
    opening ??= openHistory(options)
    return opening
  }
  try {
    const report = await act({
      begin: async () => void (await open()),
      onIntents: (host, told) => void intents.set(host, told),
    })
    return await keep((await open()).store, observationOf(report, intents, options), rules, options, report)
  } finally {
    const opened = await opening?.catch(() => undefined)
    opened?.lock?.release()
  }
}

interface OpenHistory {
  readonly lock: RunLock | undefined
  readonly store: Store | undefined
}

async function openHistory(options: RecordOptions): Promise<OpenHistory> {
  const { folder, mode, longestMs, waitMs = 0 } = options
  let lock: RunLock | undefined
  try {
    lock = await takeRunLock(folder, { what: `sak-reconcile ${mode}`, longestMs, waitMs })
    return { lock, store: await openStore(folder, new Date().toISOString()) }
  } catch (error) {
    if (isSakError(error) && error.code !== 'locked') await sayUnkept(error, options)
    if (isSakError(error) && (error.code === 'history-unusable' || (mode === 'apply' && error.code !== 'locked'))) {
      return { lock, store: undefined }
    }
    lock?.release()
    throw error
  }
}

/** Nothing is kept, so that nobody else could tell it: each such run says so. */
async function sayUnkept(
  error: SakError,
  { config, playbook, words, warn, mode, signal }: RecordOptions,
): Promise<void> {
  warn(mode === 'drift' ? `${error.message}: what is found now is told again by the next run` : error.message)
  if (mode !== 'drift') return
  const events = [brokenDetector(error, new Date().toISOString())]
  const message = { playbook, events, ...words(events) }
  await Promise.all(notifiersOf(config).map(notifier => tell(notifier, message, signal)))
}

const notifiersOf = ({ notify = [] }: DriftConfig): readonly Notifier[] => notify.map(notifierOf)

async function keep(
  store: Store | undefined,
  observation: Observation,
  rules: readonly HostedRule[],
  options: RecordOptions,
  report: Report,
): Promise<Recorded> {
  const { config, output } = options
  const ignored = ignoring(rules, observation.run.at)
  const remind = config.remind === undefined ? {} : { remindMs: durationMs(config.remind) }
  const notifiers = [...(output ? [output] : []), ...notifiersOf(config)]
  const input = advance(store?.state() ?? emptyState('unkept'), observation, { ignoring: ignored, ...remind })
  const kept = store && (await orUnkept(store, { ...input, to: notifiers.map(({ name }) => name) }, options))
  if (store && kept) await tellOthers(store, notifiers, observation, options)
  else await printOnly(input.events ?? [], options)
  const state = kept ? (store?.state() ?? kept) : advanceState(emptyState('unkept'), Commit.parse({ ...input, seq: 1 }))
  const exitCode = options.mode === 'drift' ? exitCodeOf(observation, ignored) : report.exitCode
  const isTroubled = !kept || Object.values(state.items).some(item => item.subject === 'notifier')
  return {
    report,
    exitCode: exitCode || (isTroubled && options.mode === 'drift' ? 1 : 0),
    items: Object.values(state.items),
  }
}

async function orUnkept(store: Store, input: Parameters<Store['commit']>[0], options: RecordOptions) {
  try {
    return await store.commit(input)
  } catch (error) {
    if (!isSakError(error)) throw error
    await sayUnkept(error, options)
    return undefined
  }
}

async function tellOthers(store: Store, notifiers: readonly Notifier[], { run }: Observation, options: RecordOptions) {
  const { playbook, words, warn, config, signal } = options
  const at = new Date().toISOString()
  try {
    const about = { notifiers, playbook, words, run: run.id, at, ...(signal && { signal }) }
    for (const unreached of await deliver(store, about)) if (!unreached.isKnown) warn(inWords(unreached))
    await store.prune(durationMs(config.keep ?? '400d'))
  } catch (error) {
    if (!isSakError(error)) throw error
    warn(`${error.message}: what was told may be told again by the next run`)
  }
}

const inWords = ({ name, why }: Unreached) => `the notifier ${name} was not reached: ${why}; the next run tries again`

async function printOnly(events: readonly DriftEvent[], { output, playbook, words }: RecordOptions): Promise<void> {
  if (output && events.length > 0) await output.send({ playbook, events, ...words(events) }, after(60_000))
}

function observationOf(report: Report, intents: ReadonlyMap<string, Intents>, options: RecordOptions): Observation {
  const { mode, jobs } = options
  const labels = new Map(jobsOf(jobs).map(({ host, whole }) => [host.name, whole.map(({ label }) => label)]))
  const hosts = countBy(report.hosts.map(({ status }) => status))
  const { startedAt: at, durationMs, exitCode } = report
  return {
    run: { id: `${mode}-${at}`, mode, at, durationMs, exitCode, hosts },
    isWhole: jobs.limit === undefined,
    hosts: report.hosts.map(host => ({
      report: host,
      labels: labels.get(host.name) ?? [],
      intents: intents.get(host.name) ?? {},
    })),
  }
}

/** A rule's host pattern that means no host any more silences nothing, and is told of as unused. */
function hostedRules({ config, jobs }: RecordOptions): readonly HostedRule[] {
  const inventory = inventoryFor({ ...jobs, dryRun: true })
  return (config.ignore ?? []).map(rule => {
    try {
      return { rule, hosts: new Set(selectHosts(inventory, rule.hosts ?? 'all').map(host => host.name)) }
    } catch (error) {
      if (!isSakError(error)) throw error
      return { rule, hosts: new Set<string>() }
    }
  })
}

/** Of what no rule ignores: 2 for drift, 4 for what could not be judged. */
function exitCodeOf(observation: Observation, { ruleFor }: Ignoring): number {
  const findings = observation.hosts.flatMap(host => findingsOf(host, observation)).filter(each => !ruleFor(each))
  const has = (subject: DriftItem['subject']) => findings.some(each => each.subject === subject)
  return (has('drift') ? 2 : 0) + (has('failure') ? 4 : 0)
}
