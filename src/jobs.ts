import type { AdviceOptions, Silence } from './core/advice.ts'
import { hostRuleIds } from './core/advise.ts'
import { SakError } from './core/errors.ts'
import { selectHosts } from './core/host-pattern.ts'
import {
  defineInventory,
  type Inventory,
  type InventoryHost,
  type InventoryInput,
  inventoryNames,
  isInventory,
  localhost,
} from './core/inventory.ts'
import { didYouMean } from './core/nearest.ts'
import { isPlaybookFactory, type Playbook, type PlaybookFactory, type Vars } from './core/playbook.ts'
import type { Task } from './core/task.ts'

/** What decides which tasks a run has for which hosts. */
export interface JobOptions {
  readonly playbook: Playbook | PlaybookFactory
  /** Default, for a dry run only: this machine. */
  readonly inventory?: Inventory | InventoryInput
  /** Only look: the report shows what an apply would do. Default false. */
  readonly dryRun?: boolean
  /** A host pattern that narrows the playbook's hosts, or a list of single ones, taken as they are. */
  readonly limit?: string | readonly string[]
  /** Only tasks with one of these tags, labels or module names. */
  readonly tags?: readonly string[]
  /** All tasks but those with one of these. */
  readonly skipTags?: readonly string[]
  /** Params of the playbook, stronger than all others. */
  readonly vars?: Vars
  readonly advice?: AdviceOptions
}

/** A host and its tasks. */
export interface Job {
  readonly host: InventoryHost
  readonly tasks: readonly Task[]
  /** All tasks that the playbook has for the host, also those that were not chosen. */
  readonly whole: readonly Task[]
}

/** The tasks of each host, worked out before any is touched. */
export function jobsOf(options: JobOptions): readonly Job[] {
  const playbook = isPlaybookFactory(options.playbook) ? options.playbook() : options.playbook
  const inventory = inventoryFor(options)
  const all = selectHosts(inventory, playbook.hosts, `the playbook ${playbook.name}`)
  const wanted = options.limit === undefined ? undefined : selectHosts(inventory, options.limit, '--limit')
  const hosts = wanted ? all.filter(host => wanted.some(each => each.name === host.name)) : all
  if (hosts.length === 0) {
    throw new SakError(
      'usage',
      `no host: the playbook ${playbook.name} is for "${playbook.hosts}"${options.limit ? `, --limit says "${[options.limit].flat().join(',')}"` : ''}`,
      { hint: inventoryNames(inventory) },
    )
  }
  const known = new Set<string>()
  const isIn = patternsOf(inventory)
  const tasksOf = (host: InventoryHost) =>
    playbook.tasksFor(host, options.vars, pattern => isIn(pattern).has(host.name))
  const jobs = hosts.map(host => {
    const tasks = tasksOf(host)
    for (const task of tasks) for (const name of namesOf(task)) known.add(name)
    return { host, tasks: tasks.filter(task => isChosen(task, options)), whole: tasks }
  })
  refuseUnknownSilence(
    options.advice?.silence ?? {},
    jobs.flatMap(job => job.whole),
    () => all.flatMap(tasksOf),
  )
  refuseUnknownTags([...(options.tags ?? []), ...(options.skipTags ?? [])], known)
  if (jobs.every(job => job.tasks.length === 0)) {
    throw new SakError('usage', `no task is left of the playbook ${playbook.name} for any host`, {
      hint: known.size > 0 ? 'tags and skipped tags leave none: take some back' : 'its tasks() answers none',
    })
  }
  return jobs
}

/** The names of the hosts of a pattern, each looked up once. */
function patternsOf(inventory: Inventory): (pattern: string) => ReadonlySet<string> {
  const found = new Map<string, ReadonlySet<string>>()
  return pattern => {
    const names = found.get(pattern) ?? new Set(selectHosts(inventory, pattern).map(host => host.name))
    found.set(pattern, names)
    return names
  }
}

/** The hosts to choose from. Throws SakError `usage` where none are named and this is no dry run. */
export function inventoryFor({ inventory, dryRun }: Pick<JobOptions, 'inventory' | 'dryRun'>): Inventory {
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

function isChosen(task: Task, { tags, skipTags = [] }: JobOptions): boolean {
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

/** What is silenced must be advice that there is, be it for hosts that this run leaves out: a misspelt id would silence nothing. */
function refuseUnknownSilence(ofRun: Silence, chosen: readonly Task[], everywhere: () => readonly Task[]): void {
  const silenced = new Set([...Object.keys(ofRun), ...chosen.flatMap(task => Object.keys(task.silence))])
  const idsOf = (tasks: readonly Task[]) => [
    ...hostRuleIds,
    ...tasks.flatMap(({ advice = [] }) => advice.map(({ id }) => id)),
  ]
  const unknownIn = (known: readonly string[]) => [...silenced].find(id => !known.includes(id))
  if (unknownIn(idsOf(chosen)) === undefined) return
  const known = [...new Set(idsOf(everywhere()))]
  const unknown = unknownIn(known)
  if (unknown === undefined) return
  throw new SakError('usage', `there is no advice "${unknown}" to silence`, {
    hint: didYouMean(unknown, known) ?? `known: ${known.join(', ')}`,
  })
}
