/** The limits of containers that are there, and how they come to others. */
import { blocked, type FileRead, run, type SakError, type Step } from 'sak-reconcile'
import type { Engine } from './engine.ts'
import { type Limits, leastMemory, type Params } from './params.ts'
import type { Container, Machine } from './parse.ts'
import { sizeText } from './values.ts'

/** `{ 'app-api-1 memory': '850M' }`. */
export type Report = Readonly<Record<string, string>>

/** A container, and what the task rules of it. */
export interface Kept {
  readonly container: Container
  readonly limits: Limits
  /** Memory and swap together that go with the limit of memory: -1 is no limit. */
  readonly swap: number
}

const runningNames = ['memory', 'cpus', 'memoryReservation'] as const
type RunningName = (typeof runningNames)[number]

const isMemory = (name: RunningName) => name !== 'cpus'
const textOf = (name: RunningName, value: number) =>
  value === 0 ? 'no limit' : isMemory(name) ? sizeText(value) : String(value)

const ruledIn = (limits: Limits): readonly [RunningName, number][] =>
  runningNames.flatMap(name => {
    const value = limits[name]
    return value === undefined ? [] : [[name, value]]
  })

/** The containers that were made from a project's files. */
export function containersOf(files: readonly FileRead[], { containers }: Engine): readonly Container[] {
  const ours = new Set(files.flatMap(({ path, stat }) => [path, stat?.realPath ?? path]))
  return containers.filter(container => container.files.some(path => ours.has(path)))
}

/** Containers of the services that a task rules. */
export function keptOf(
  containers: readonly Container[],
  { services }: Params,
  swap: Readonly<Record<string, number>>,
): readonly Kept[] {
  return containers.flatMap(container => {
    const limits = services[container.service]
    return limits ? [{ container, limits, swap: swapFor(container, limits, swap[container.service]) }] : []
  })
}

/** As the files say; without a word about it the engine gives as much swap as memory, where it can limit swap at all. */
function swapFor({ swap }: Container, { memory = 0 }: Limits, said: number | undefined): number {
  return said ?? (swap === -1 ? -1 : 2 * memory)
}

export function reportNow(kept: readonly Kept[]): Report {
  return reportOf(kept, ({ container }, name) => container[name])
}

export function reportWanted(kept: readonly Kept[]): Report {
  return reportOf(kept, ({ limits }, name) => limits[name] ?? 0)
}

function reportOf(kept: readonly Kept[], valueIn: (kept: Kept, name: RunningName) => number): Report {
  const entries = kept.flatMap(each =>
    ruledIn(each.limits).map(([name]) => [`${each.container.name} ${name}`, textOf(name, valueIn(each, name))]),
  )
  return Object.fromEntries(entries)
}

/** What stands in the way of the limits of containers that are there. */
export function runningObjections(
  files: readonly FileRead[],
  kept: readonly Kept[],
  { machine, held }: { machine: Machine; held: ReadonlyMap<string, number> },
  { services }: Params,
): readonly SakError[] {
  return [
    ...Object.entries(services).flatMap(([service, limits]) => [
      ...tooManyProcessors(service, limits, machine),
      ...tooMany(service, limits, kept),
    ]),
    ...kept.flatMap(each => [
      ...otherFiles(files, each),
      ...quota(each),
      ...tooMuchHeld(each, held.get(each.container.id) ?? 0),
    ]),
  ]
}

function tooManyProcessors(service: string, { cpus = 0 }: Limits, { processors }: Machine): SakError[] {
  if (processors === 0 || cpus <= processors) return []
  const reason = `${service} is to have ${cpus} processors, and the host has ${processors}: the engine refuses that`
  return [blocked('refused', reason, `cpus: ${processors} at most`)]
}

function tooMany(service: string, { replicas }: Limits, kept: readonly Kept[]): SakError[] {
  const there = kept.filter(({ container }) => container.service === service && container.isRunning).length
  if (there <= replicas) return []
  const reason = `${there} containers of ${service} run, and the budget of memory counts ${replicas}`
  return [blocked('refused', reason, `replicas: ${there} in the limits of ${service}`)]
}

function otherFiles(files: readonly FileRead[], { container }: Kept): SakError[] {
  const known = new Set(files.flatMap(({ path, stat }) => [path, stat?.realPath ?? path]))
  const others = container.files.filter(path => !known.has(path))
  if (others.length === 0) return []
  const reason = `${container.name} was made from ${others.join(', ')} too, which is not looked at`
  const list = container.files.map(path => `'${path}'`).join(', ')
  return [blocked('unsupported', reason, `file: [${list}]; or COMPOSE_FILE in the project's .env, for compose too`)]
}

function quota({ container, limits }: Kept): SakError[] {
  if (!container.hasQuota || limits.cpus === undefined) return []
  const reason = `${container.name} was made with a quota, beside which the engine takes no cpus`
  return [blocked('refused', reason, `docker compose up -d ${container.service} makes it anew, and restarts it`)]
}

function tooMuchHeld({ container, limits }: Kept, bytes: number): SakError[] {
  const { memory } = limits
  if (memory === undefined || container.memory === memory || bytes <= memory) return []
  const reason = `${container.name} holds ${Math.ceil(bytes / 1024 ** 2)}M that cannot be dropped, more than its limit is to be, ${sizeText(memory)}: the kernel would swap it out or end it`
  return [blocked('refused', reason, `restart it first (docker compose restart ${container.service}), or give it more`)]
}

/** One `docker update` for each container that differs: no restart, and kept by the engine for every later start. */
export function updateSteps(kept: readonly Kept[], machine: Machine): readonly Step[] {
  return kept.flatMap(({ container, limits, swap }) => {
    const wrong = ruledIn(limits).filter(([name, value]) => container[name] !== value)
    if (wrong.length === 0) return []
    const had = wrong.map(([name]) => [name, container[name]] as const)
    const back = had.map(([name, value]) => [name, value === 0 ? noneOf(name, machine) : value] as const)
    const hadNone = had.filter(([, value]) => value === 0).map(([name]) => name)
    const backArgv = updateArgv(container, back, container.memory === 0 ? -1 : container.swap)
    return [
      run(updateArgv(container, wrong, swap), {
        impact: 'reload',
        undo: [
          { argv: ['sh', '-c', unlessAsBefore, 'undo', hostLimits, limitsOf(container), container.name, ...backArgv] },
        ],
        ...(hadNone.length > 0 && {
          title: `limit ${container.name} (it had no ${hadNone.join(', ')}: undone, it gets all that the host has)`,
        }),
      }),
    ]
  })
}

/** What an update that failed has not changed stays as it is, without a limit too; a container that is gone needs nothing. */
const unlessAsBefore =
  'f=$1 b=$2 n=$3; shift 3; a=$(docker inspect --type container --format "$f" "$n" 2>&1) || case $a in *"o such container"*) exit 0 ;; esac; [ "$a" = "$b" ] || "$@"'

const hostLimits = ['Memory', 'MemorySwap', 'MemoryReservation', 'NanoCpus']
  .map(key => `{{.HostConfig.${key}}}`)
  .join(' ')
const limitsOf = ({ memory, swap, memoryReservation, cpus }: Container) =>
  [memory, swap, memoryReservation, Math.round(cpus * 1e9)].join(' ')

function updateArgv({ name }: Container, values: readonly (readonly [RunningName, number])[], swap: number): string[] {
  const flags = values.flatMap(([setting, value]) => {
    if (setting === 'memory') return ['--memory', `${value}`, '--memory-swap', `${swap}`]
    return [setting === 'cpus' ? '--cpus' : '--memory-reservation', `${value}`]
  })
  return ['docker', 'update', ...flags, name]
}

/**
 * What comes nearest to no limit, which `docker update` cannot bring back: it takes 0 for unchanged (moby/moby#22516). All that the host
 * has limits nothing. A reservation protects with control groups 2, and the least protects nothing; with 1 what is above it is
 * taken first, so that all is right.
 */
function noneOf(name: RunningName, { processors, memory, cgroups }: Machine): number {
  if (name === 'cpus') return processors
  return name === 'memory' || cgroups === 1 ? memory : leastMemory
}
