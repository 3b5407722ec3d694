import { randomBytes } from 'node:crypto'
import pLimit from 'p-limit'
import type { ConnectOptions } from './core/connection.ts'
import { SakError } from './core/errors.ts'
import { selectHosts } from './core/host-pattern.ts'
import {
  defineInventory,
  type Inventory,
  type InventoryHost,
  type InventoryInput,
  isInventory,
  localhost,
} from './core/inventory.ts'
import { didYouMean } from './core/nearest.ts'
import { isPlaybookFactory, type Playbook, type PlaybookFactory, type Vars } from './core/playbook.ts'
import { countBy, exitCodeOf, type HostReport, type Report, type RunEvent } from './core/report.ts'
import type { Impact } from './core/step.ts'
import type { Task } from './core/task.ts'
import type { TaskResult } from './engine/apply.ts'
import { runHost } from './engine/host.ts'

export interface ReconcileOptions {
  readonly playbook: Playbook | PlaybookFactory
  /** Default, for a dry run only: this machine. */
  readonly inventory?: Inventory | InventoryInput
  /** Only look: the report shows what an apply would do. Default false. */
  readonly dryRun?: boolean
  /** A host pattern that narrows the playbook's hosts. */
  readonly limit?: string
  /** Only tasks with one of these tags, labels or module names. */
  readonly tags?: readonly string[]
  /** All tasks but those with one of these. */
  readonly skipTags?: readonly string[]
  /** Hosts at once. Default 50. */
  readonly forks?: number
  /** The greatest impact permitted; a task that needs more is `pending`. Default `data`: everything. */
  readonly allow?: Impact
  /** Params of the playbook, stronger than all others. */
  readonly vars?: Vars
  readonly connect?: ConnectOptions
  /** How long an apply waits for another run on the same host to end. Default 10. */
  readonly lockWaitSeconds?: number
  /** Shown the plan before anything is applied; `false` ends the run. Without it there is no question. */
  readonly confirm?: (plan: Report) => Promise<boolean>
  /** Told what happens, as it happens. */
  readonly onEvent?: (event: RunEvent) => void
  /** Once aborted no new host or task starts; steps that run end or undo themselves. */
  readonly signal?: AbortSignal
}

interface Job {
  readonly host: InventoryHost
  readonly tasks: readonly Task[]
}

type Reviewed = ReadonlyMap<string, readonly TaskResult[]>

/**
 * Brings hosts to the state that a playbook describes, or with `dryRun` says what that would take.
 * Whatever happens on a host is in the report; mistakes of the caller throw before any host is touched.
 * @throws SakError `usage`, `invalid-params`, `invalid-playbook`, `invalid-inventory`
 */
export async function reconcile(options: ReconcileOptions): Promise<Report> {
  const { dryRun = false, confirm } = options
  const jobs = jobsOf(options)
  if (dryRun) return (await runAll(jobs, 'dry-run', options)).report
  if (!confirm) return (await runAll(jobs, 'apply', options)).report
  const plan = await runAll(jobs, 'dry-run', options)
  const needsWork = plan.report.hosts.filter(host => host.tasks.some(isToApply))
  if (needsWork.length === 0) return plan.report
  if (!(await confirm(plan.report))) throw new SakError('declined', 'nothing was applied')
  const names = new Set(needsWork.map(host => host.name))
  const rest = plan.report.hosts.filter(host => !names.has(host.name))
  const chosen = jobs.filter(job => names.has(job.host.name))
  return (await runAll(chosen, 'apply', options, plan.reviewed, rest)).report
}

const isToApply = ({ status }: { status: string }) => status === 'drift' || status === 'deferred'

/** The tasks of each host, worked out before any is touched. */
function jobsOf(options: ReconcileOptions): readonly Job[] {
  const playbook = isPlaybookFactory(options.playbook) ? options.playbook() : options.playbook
  const inventory = inventoryFor(options)
  const all = selectHosts(inventory, playbook.hosts)
  const wanted = options.limit === undefined ? undefined : selectHosts(inventory, options.limit)
  const hosts = wanted ? all.filter(host => wanted.some(each => each.name === host.name)) : all
  if (hosts.length === 0) {
    throw new SakError(
      'usage',
      `no host: the playbook is for "${playbook.hosts}"${options.limit ? `, --limit says "${options.limit}"` : ''}`,
      {
        hint: `the inventory has: ${[...inventory.hosts.keys()].slice(0, 20).join(', ') || 'nothing'}`,
      },
    )
  }
  const known = new Set<string>()
  const jobs = hosts.map(host => {
    const tasks = playbook.tasksFor(host, options.vars)
    for (const task of tasks) for (const name of namesOf(task)) known.add(name)
    return { host, tasks: tasks.filter(task => isChosen(task, options)) }
  })
  refuseUnknownTags([...(options.tags ?? []), ...(options.skipTags ?? [])], known)
  return jobs
}

function inventoryFor({ inventory, dryRun }: ReconcileOptions): Inventory {
  if (inventory) return isInventory(inventory) ? inventory : defineInventory(inventory)
  if (dryRun) return localInventory()
  throw new SakError('usage', 'no inventory: which hosts should be changed?', {
    hint: 'name them with -i (a file, or "host,host,"; this machine is "localhost,"), or only look with --dry-run',
  })
}

function localInventory(): Inventory {
  return defineInventory({ hosts: { [localhost().name]: { connection: 'local' } } })
}

const namesOf = (task: Task): readonly string[] => [task.label, task.module, ...task.tags]

function isChosen(task: Task, { tags, skipTags = [] }: ReconcileOptions): boolean {
  const has = (wanted: readonly string[]) => wanted.some(tag => namesOf(task).includes(tag))
  return (tags === undefined || tags.length === 0 || has(tags)) && !has(skipTags)
}

function refuseUnknownTags(tags: readonly string[], known: ReadonlySet<string>): void {
  const unknown = tags.find(tag => !known.has(tag))
  if (unknown === undefined) return
  throw new SakError('usage', `no task has the tag "${unknown}"`, {
    hint: didYouMean(unknown, known) ?? `known: ${[...known].join(', ')}`,
  })
}

async function runAll(
  jobs: readonly Job[],
  mode: Report['mode'],
  options: ReconcileOptions,
  reviewed?: Reviewed,
  rest: readonly HostReport[] = [],
): Promise<{ report: Report; reviewed: Reviewed }> {
  const startedAt = new Date()
  const started = performance.now()
  const emit = options.onEvent ?? (() => {})
  const runId = `${startedAt
    .toISOString()
    .replaceAll(/[^0-9T]/g, '')
    .slice(0, 15)}-${randomBytes(3).toString('hex')}`
  const results = new Map<string, readonly TaskResult[]>()
  emit({ type: 'start', mode, hosts: jobs.map(job => job.host.name) })
  const { connect } = await import('./connections/connect.ts')
  const limit = pLimit(options.forks ?? 50)
  const runJob = async ({ host, tasks }: Job): Promise<HostReport> => {
    emit({ type: 'host-start', host: host.name })
    const seen = reviewed?.get(host.name)
    const { signal } = options
    const outcome = await runHost(
      {
        name: host.name,
        tasks,
        mode,
        lockWaitSeconds: options.lockWaitSeconds ?? 10,
        options: {
          allow: options.allow ?? 'data',
          runId,
          onTask: task => emit({ type: 'task', host: host.name, label: task.label }),
          ...(seen && { reviewed: seen }),
          ...(signal && { signal }),
        },
      },
      () => connect(host, options.connect ?? {}),
    )
    results.set(host.name, outcome.results)
    emit({ type: 'host', report: outcome.report })
    return outcome.report
  }
  const hosts = [...rest, ...(await Promise.all(jobs.map(job => limit(runJob, job))))]
  const report = reportOf(mode, startedAt, performance.now() - started, hosts)
  emit({ type: 'end', report })
  return { report, reviewed: results }
}

function reportOf(mode: Report['mode'], startedAt: Date, ms: number, hosts: readonly HostReport[]): Report {
  return {
    schema: 'sak-reconcile/report@1',
    mode,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(ms),
    exitCode: exitCodeOf(hosts),
    summary: {
      hosts: countBy(hosts.map(host => host.status)),
      tasks: countBy(hosts.flatMap(host => host.tasks.map(task => task.status))),
    },
    hosts: [...hosts],
  }
}
