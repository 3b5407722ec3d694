import { blocked, type Host, type Systemd } from 'sak-reconcile'
import { isUp, type Unit } from './parse.ts'
import { digestsOf, lastChange, type Moment, recordPath, type Script } from './scripts.ts'

/** A path that a unit follows: whether it has loaded what is there, in words. */
export interface Followed {
  readonly path: string
  readonly current: string
  readonly desired: string
}

/** When something at or below a path changed last (seconds since 1970), and where. */
interface LastChange {
  readonly path: string
  readonly at: number
  readonly where: string
  /** Where links lead, out of the path. */
  readonly targets: readonly string[]
}

/** Later than any clock: a change that an earlier task is yet to make. */
const toCome = 1e12

/** Looks at the paths. One trip, and another where links lead out of them. */
export async function lastChanges(host: Host, paths: readonly string[]): Promise<readonly LastChange[]> {
  const changes = await Promise.all(paths.map(path => lastChangeOf(host, path)))
  return Promise.all(
    changes.map(async change =>
      (await isToChange(host, change)) ? { ...change, at: toCome, where: change.path } : change,
    ),
  )
}

async function lastChangeOf(host: Host, path: string): Promise<LastChange> {
  const foreseen = `newest ${toCome} ${path}\n`
  const { stdout, stderr } = await ask(host, lastChange(path), { dependsOn: [path, `${path}/`], foreseen })
  if (/permission denied/i.test(stderr)) throw blocked('needs-root', `only root may see all that is at ${path}`)
  const [, at = '', where = path] = /^newest (\S+) (.*)$/m.exec(stdout) ?? []
  const targets = [...stdout.matchAll(/^target (.*)$/gm)].map(([, target = '']) => target)
  return { path, at: Number(at), where, targets }
}

/** Whether an earlier task is to change what links lead to. What is there now was seen through them. */
async function isToChange(host: Host, { targets }: LastChange): Promise<boolean> {
  if (targets.length === 0) return false
  const dependsOn = targets.flatMap(target => [target, `${target}/`])
  return (await host.command(['true'], { dependsOn, foreseen: 'changed' })).stdout !== ''
}

const ask = (host: Host, { argv, stdin }: Script, options: { dependsOn?: readonly string[]; foreseen?: string } = {}) =>
  host.command(argv, { stdin, ...options })

/** What is said of a path, by whether a start or a reload loads it. */
const words = {
  started: {
    loaded: 'started after its last change',
    not: 'started before its last change',
    yet: 'started before the change to come',
  },
  reloaded: {
    loaded: 'loaded after its last change',
    not: 'loaded before its last change',
    yet: 'loaded before the change to come',
  },
} as const satisfies Record<Moment, { loaded: string; not: string; yet: string }>

/**
 * Whether a unit has loaded what is at the paths: its last change (ctime, which nobody can set back) was before the start or reload.
 * Where the times do not prove that, what our own start or reload recorded may: that costs another trip.
 */
export async function judge(
  host: Host,
  changes: readonly LastChange[],
  { systemd, unit, moment }: { readonly systemd: Systemd; readonly unit: Unit; readonly moment: Moment },
): Promise<readonly Followed[]> {
  const { loaded, not, yet } = words[moment]
  if (!isUp(unit.properties)) return changes.map(({ path }) => ({ path, current: atStart, desired: atStart }))
  const at = loadedAt(unit, moment)
  const doubtful = changes.filter(change => !isBefore(change.at, at))
  const asked = doubtful.filter(change => change.at !== toCome).map(({ path }) => path)
  const same = asked.length > 0 ? await unchanged(host, asked, { systemd, unit, moment }) : []
  return changes.map(change => {
    const { path, where } = change
    if (!doubtful.includes(change) || same.includes(path)) return { path, current: loaded, desired: loaded }
    const found = change.at === toCome ? yet : where === path ? not : `${not}, of ${where}`
    return { path, current: found, desired: loaded }
  })
}

/** Of the files of a unit that does not run: nothing is wrong with them but that. */
const atStart = 'loaded at its start'

function loadedAt({ since, reloaded }: Unit, moment: Moment): number | undefined {
  if (since === undefined || moment === 'started') return since
  return Math.max(since, reloaded ?? since)
}

/**
 * Whether a change was surely before a moment. The kernel stamps files by a clock that is up to 10 ms late; some file systems count
 * whole seconds.
 */
function isBefore(change: number, moment: number | undefined): boolean {
  return moment !== undefined && change + (Number.isInteger(change) ? 1 : 0.01) < moment
}

/** The paths at which is still what our own start or reload loaded, if that is what runs. */
async function unchanged(
  host: Host,
  paths: readonly string[],
  { systemd, unit, moment }: { readonly systemd: Systemd; readonly unit: Unit; readonly moment: Moment },
): Promise<readonly string[]> {
  const { Id = '', InvocationID, StateChangeTimestampMonotonic } = unit.properties
  const [record, { stdout }] = await Promise.all([
    host.file(recordPath(systemd, Id, moment)),
    ask(host, digestsOf(paths)),
  ])
  const lines = record.content?.split('\n') ?? []
  const isOfNow =
    lines.includes(`InvocationID=${InvocationID}`) &&
    (moment === 'started' || lines.includes(`StateChangeTimestampMonotonic=${StateChangeTimestampMonotonic}`))
  if (!isOfNow) return []
  return paths.filter(path => stdout.split('\n').some(line => line.endsWith(`  ${path}`) && lines.includes(line)))
}
