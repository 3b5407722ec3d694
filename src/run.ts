import { randomBytes } from 'node:crypto'
import { checkOptions } from './check-options.ts'
import { SakError } from './core/errors.ts'
import type { PlanFile, PlannedHost, PlanSource } from './core/plan-file.ts'
import type { HostReport, Report } from './core/report.ts'
import type { Impact } from './core/step.ts'
import { applyLocked } from './engine/apply-locked.ts'
import type { Work } from './engine/host.ts'
import { look } from './engine/look.ts'
import type { HostPlan } from './engine/plan-host.ts'
import { plannedHost, type Reviewed } from './engine/reviewed.ts'
import type { HostsOptions } from './hosts-options.ts'
import { type Job, type JobOptions, jobsOf } from './jobs.ts'

import { partOf, type ReportPart, runJobs } from './run-jobs.ts'

import { type WithSecrets, withSecrets } from './secrets.ts'
import { version } from './version.ts'

/** A dry run looks at all hosts at once, whatever the options of the rollout say. */
export interface RunOptions extends JobOptions, HostsOptions {
  /** The greatest impact permitted; a task that needs more is `pending`. Default `data`: everything. */
  readonly allow?: Impact
  /** Apply also where the tasks together let services use more memory than the host has. Default false: they are `blocked`. */
  readonly allowOverBudget?: boolean
  /** How long an apply waits for another run on the same host to end. Default 10. */
  readonly lockWaitSeconds?: number
}

export interface ReconcileOptions extends RunOptions {
  /** Shown the plan before anything is applied; `false` ends the run. Without it there is no question. */
  readonly confirm?: (plan: Report) => Promise<boolean>
}

/**
 * Brings hosts to the state that a playbook describes, or with `dryRun` says what that would take.
 * Whatever happens on a host is in the report; mistakes of the caller throw before any host is touched.
 * @throws SakError `usage`, `invalid-params`, `invalid-playbook`, `invalid-inventory`; `declined` where the question was
 */
export async function reconcile(options: ReconcileOptions): Promise<Report> {
  checkOptions(options)
  const jobs = jobsOf(options)
  return withSecrets(jobs, options, run => reconcileJobs(jobs, run))
}

async function reconcileJobs(jobs: readonly Job[], options: ReconcileOptions & WithSecrets): Promise<Report> {
  const { dryRun = false, confirm } = options
  if (dryRun) return (await runAll(jobs, 'dry-run', options)).report
  if (!confirm) return (await runAll(jobs, 'apply', options)).report
  const key = newKey()
  const agreed = async () => {
    const planned = await runAll(jobs, 'dry-run', options, { key })
    if (!planned.report.hosts.some(needsWork)) return planned
    if (!(await confirm(planned.report))) throw new SakError('declined', 'nothing was applied')
    return planned
  }
  let planned = await agreed()
  const interrupted = new Set(planned.report.hosts.filter(isInterrupted).map(host => host.name))
  if (interrupted.size > 0) {
    // taking a host's lock undoes what was left there; what is to be applied is another plan then, and another question
    const left = jobs.filter(job => interrupted.has(job.host.name)).map(({ host }) => ({ host, tasks: [], whole: [] }))
    const { report } = await runAll(left, 'apply', { ...options, onEvent: () => {} })
    if (report.exitCode !== 0) return report
    planned = await agreed()
  }
  if (options.signal?.aborted || !planned.report.hosts.some(needsWork)) return planned.report
  return applyReviewed(jobs, options, { key, hosts: planned.hosts, rest: planned.report })
}

/** A plan to be reviewed, and the report that shows it. */
export interface Planned {
  readonly report: Report
  /** To be kept as JSON, and given to `apply`. */
  readonly plan: PlanFile
}

/** Makes a plan and changes nothing. `source` is kept in it, to tell what it was made from. Throws as `reconcile` does. */
export async function plan(options: RunOptions, source: Partial<PlanSource> = {}): Promise<Planned> {
  checkOptions(options)
  const key = newKey()
  const jobs = jobsOf({ ...options, dryRun: true })
  const { report, hosts } = await withSecrets(jobs, options, run => runAll(jobs, 'dry-run', run, { key }))
  const { startedAt } = report
  const made = { schema: 'sak-reconcile/plan@1', version: version(), createdAt: startedAt, key } as const
  return { report, plan: { ...made, source: { vars: {}, ...source }, hosts: [...hosts.values()] } }
}

export interface ApplyPlanOptions extends RunOptions {
  /** Apply also a plan with deferred tasks, whose steps nobody has seen. Default false. */
  readonly allowDeferred?: boolean
}

/**
 * Applies a plan exactly as it was made. A host that has changed since, or is another machine, is refused in the report
 * (`stale-plan`), and nothing is applied to it.
 * @throws SakError `stale-plan` for a plan of another version, or one with deferred tasks that were not asked for
 */
export async function apply(file: PlanFile, options: ApplyPlanOptions): Promise<Report> {
  checkOptions(options)
  if (file.version !== version()) {
    throw new SakError('stale-plan', `the plan was made by version ${file.version}, and this is ${version()}`, {
      hint: 'make a new plan, or apply it with the version that made it',
    })
  }
  const deferred = file.hosts.flatMap(({ name, tasks }) =>
    tasks.filter(task => task.status === 'deferred').map(task => `${name}: ${task.label}`),
  )
  if (deferred.length > 0 && !options.allowDeferred) {
    throw new SakError(
      'stale-plan',
      `the plan has deferred tasks, whose steps nobody has seen: ${deferred.join(', ')}`,
      {
        hint: 'apply it with --allow-deferred, or apply the tasks before them first and make a new plan',
      },
    )
  }
  const jobs = jobsOf(options)
  const hosts = new Map(file.hosts.map(host => [host.name, host]))
  const missing = file.hosts.find(host => !jobs.some(job => job.host.name === host.name))
  if (missing) throw new SakError('stale-plan', `the plan is for ${missing.name}, which is not among the hosts now`)
  const planned = jobs.filter(job => hosts.has(job.host.name))
  return withSecrets(planned, options, run =>
    applyReviewed(planned, run, { key: file.key, hosts, rest: { hosts: [] } }),
  )
}

interface Agreed {
  readonly key: string
  readonly hosts: ReadonlyMap<string, PlannedHost>
  /** Reports of hosts on which there is nothing to do. */
  readonly rest: ReportPart
}

async function applyReviewed(
  jobs: readonly Job[],
  options: RunOptions & WithSecrets,
  { key, hosts, rest }: Agreed,
): Promise<Report> {
  const inSync = new Set(rest.hosts.filter(host => !needsWork(host)).map(host => host.name))
  const chosen = jobs.filter(job => !inSync.has(job.host.name))
  return (await runAll(chosen, 'apply', options, { key, hosts }, partOf(rest, inSync))).report
}

const toApply: ReadonlySet<string> = new Set(['drift', 'deferred', 'interrupted'])
const isInterrupted = (host: HostReport) =>
  host.status === 'interrupted' || host.tasks.some(task => task.status === 'interrupted')
const needsWork = (host: HostReport) => toApply.has(host.status) || host.tasks.some(task => toApply.has(task.status))

const newKey = () => randomBytes(32).toString('hex')

interface Review {
  readonly key: string
  /** What was agreed to, by host; none while the plan is made. */
  readonly hosts?: ReadonlyMap<string, PlannedHost>
}

async function runAll(
  jobs: readonly Job[],
  mode: Report['mode'],
  options: RunOptions & WithSecrets,
  review?: Review,
  rest: ReportPart = { hosts: [] },
): Promise<{ report: Report; hosts: ReadonlyMap<string, PlannedHost> }> {
  const planned = new Map<string, PlannedHost>()
  const runId = newRunId(new Date())
  const {
    allow = 'data',
    allowOverBudget: allowOver = false,
    lockWaitSeconds: waitSeconds = 10,
    onEvent,
    advice,
  } = options
  const work = ({ host: { name }, whole }: Job): Work => {
    const budget = { tasks: whole, allowOver }
    const planning = { allow, budget, silence: advice?.silence ?? {} }
    if (mode === 'dry-run') return look(name, planning)
    const seen = review?.hosts?.get(name)
    const reviewed: Reviewed | undefined = seen && review && { key: review.key, host: seen }
    const onTask = ({ label }: { label: string }) => onEvent?.({ type: 'task', host: name, label })
    return applyLocked({ ...planning, runId, onTask, waitSeconds, ...(reviewed && { reviewed }) })
  }
  const onPlan = (name: string, made: HostPlan) => {
    if (review) planned.set(name, plannedHost(name, review.key, made, options.secrets))
  }
  const report = await runJobs(jobs, { ...options, mode, work, onPlan, rest })
  return { report, hosts: planned }
}

function newRunId(startedAt: Date): string {
  const time = startedAt.toISOString().replaceAll(/[^0-9T]/g, '')
  return `${time.slice(0, 15)}-${randomBytes(3).toString('hex')}`
}
