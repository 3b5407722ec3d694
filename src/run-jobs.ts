import { type Advised, noAdvice } from './core/advise.ts'

import type { Playbook, PlaybookFactory } from './core/playbook.ts'
import { nameOf } from './core/playbook.ts'
import { countBy, exitCodeOf, type HostReport, type Report } from './core/report.ts'
import type { RolloutOptions } from './core/rollout.ts'
import { traced, tracedNow } from './core/trace.ts'
import { durationMs } from './core/units.ts'
import { runHost, type Work } from './engine/host.ts'
import type { HostPlan } from './engine/plan-host.ts'
import type { HostsOptions } from './hosts-options.ts'
import type { Job } from './jobs.ts'
import { rollOut } from './rollout.ts'
import type { WithSecrets } from './secrets.ts'

export interface JobsRun extends HostsOptions, WithSecrets {
  readonly playbook: Playbook | PlaybookFactory
  readonly mode: Report['mode']
  readonly work: (job: Job) => Work
  readonly onPlan?: (host: string, plan: HostPlan) => void
  /** Of hosts on which nothing is to be done. */
  readonly rest?: ReportPart
}

/** What a report has of some hosts. */
export type ReportPart = Pick<Report, 'hosts' | 'advice' | 'silencedAdvice'>

export function partOf(
  { hosts, advice = [], silencedAdvice = [] }: ReportPart,
  names: ReadonlySet<string>,
): ReportPart {
  return {
    hosts: hosts.filter(({ name }) => names.has(name)),
    advice: advice.filter(({ host }) => names.has(host)),
    silencedAdvice: silencedAdvice.filter(({ host }) => names.has(host)),
  }
}

/** Goes to all hosts, does the work there, and reports. */
export async function runJobs(jobs: readonly Job[], options: JobsRun): Promise<Report> {
  const {
    mode,
    playbook,
    work,
    secrets,
    forks = 50,
    signal,
    hostDeadline = '30m',
    rest = { hosts: [] },
    onPlan,
    onIntents,
  } = options
  const advised = new Map<string, Advised>()
  const startedAt = new Date()
  const started = performance.now()
  const emit = options.onEvent ?? (() => {})
  emit({ type: 'start', mode, hosts: jobs.map(job => job.host.name) })
  const { connect } = await traced('load connections', undefined, () => import('./connections/connect.ts'))
  const connecting = options.connect ?? {} // one object for all: bastions and answers to questions are shared by it
  const run = async (job: Job): Promise<HostReport> => {
    const { host, tasks } = job
    const { name } = host
    emit({ type: 'host-start', host: name })
    const about = {
      name,
      tasks,
      work: work(job),
      deadlineMs: durationMs(hostDeadline),
      secrets,
      ...(signal && { signal }),
    }
    const {
      report,
      plan,
      intents,
      advised: found,
    } = await traced('host', name, () => runHost(about, () => connect(host, connecting)))
    advised.set(name, found)
    if (plan) onPlan?.(name, plan)
    onIntents?.(name, intents)
    return report
  }
  const inBatches = mode === 'apply' ? rolloutOf(options) : {}
  const hosts = [...rest.hosts, ...(await rollOut(jobs, { ...inBatches, forks, run, emit, ...(signal && { signal }) }))]
  const about = { mode, playbook: nameOf(playbook), startedAt: startedAt.toISOString() }
  const report = reportOf(
    { ...about, durationMs: Math.round(performance.now() - started) },
    secrets.hide(hosts),
    adviceOf(rest, jobs, advised),
  )
  tracedNow('end of reports', undefined, () => emit({ type: 'end', report }))
  return report
}

const rolloutOf = ({ serial, maxFail, health }: RolloutOptions): RolloutOptions => ({
  ...(serial !== undefined && { serial }),
  ...(maxFail !== undefined && { maxFail }),
  ...(health && { health }),
})

/** In the order of the hosts, whichever was done first. */
function adviceOf(
  { advice = [], silencedAdvice = [] }: ReportPart,
  jobs: readonly Job[],
  advised: ReadonlyMap<string, Advised>,
) {
  const found = jobs.map(({ host: { name: host } }) => ({ host, ...(advised.get(host) ?? noAdvice) }))
  return {
    advice: [...advice, ...found.flatMap(({ host, advice: of }) => of.map(each => ({ ...each, host })))],
    silencedAdvice: [
      ...silencedAdvice,
      ...found.flatMap(({ host, silenced }) => silenced.map(each => ({ ...each, host }))),
    ],
  }
}

type About = Pick<Report, 'mode' | 'playbook' | 'startedAt' | 'durationMs'>

function reportOf(about: About, hosts: readonly HostReport[], advice: Omit<ReportPart, 'hosts'>): Report {
  return {
    schema: 'sak-reconcile/report@1',
    ...about,
    exitCode: exitCodeOf(hosts),
    summary: {
      hosts: countBy(hosts.map(host => host.status)),
      tasks: countBy(hosts.flatMap(host => host.tasks.map(task => task.status))),
    },
    ...advice,
    hosts: [...hosts],
  }
}
