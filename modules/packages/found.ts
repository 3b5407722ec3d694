import { blocked, durationMs, type FileRead, type Host, SakError } from 'sak-reconcile'
import type { Params } from './params.ts'
import { type ListTimes, parseAutomatic, parseListTimes, parseRows, type Rows, rowFormat } from './parse.ts'
import { listTimes } from './scripts.ts'

/** What decides the answers of dpkg and apt. */
export const statusPath = '/var/lib/dpkg/status'
export const listsPath = '/var/lib/apt/lists'
export const sourceGlobs = [
  '/etc/apt/sources.list',
  '/etc/apt/sources.list.d/*.list',
  '/etc/apt/sources.list.d/*.sources',
]
const settingGlobs = ['apt.conf', 'apt.conf.d/*', 'preferences', 'preferences.d/*'].map(name => `/etc/apt/${name}`)
export const aptDependsOn = [statusPath, listsPath, ...sourceGlobs, ...settingGlobs]

/**
 * Stands for what dpkg knows of one package: what installs or removes it leaves it unknown, so that a later task is deferred
 * only where it looks at the same package.
 */
export const traceOf = (name: string) => `/var/lib/dpkg/info/${name}.list`

/** The named packages, and the host's architecture. One trip. */
export async function readNamed(host: Host, names: readonly string[]) {
  const [shown, architecture] = await Promise.all([
    host.command(['dpkg-query', '--show', `--showformat=${rowFormat}`, ...names], { dependsOn: names.map(traceOf) }),
    host.command(['dpkg', '--print-architecture']),
  ])
  if (shown.code === 127 || architecture.code !== 0) {
    throw blocked('unsupported', 'there is no dpkg on the host', 'packages are those of Debian and its kin')
  }
  // 1: some of them are not known, as is told of those that are
  if (shown.code > 1) throw new SakError('read-failed', `dpkg-query: exit ${shown.code}`, { said: shown.stderr })
  const native = architecture.stdout.trim()
  return { architecture: native, rows: parseRows(shown.stdout, native) }
}

/** All that is installed on a host. */
export interface All {
  readonly rows: Rows
  /** What is there only because others need it. */
  readonly automatic: ReadonlySet<string>
  /** Whether dpkg was killed at its work. */
  readonly isInterrupted: boolean
}

export async function readAll(host: Host, architecture: string): Promise<All> {
  const [shown, extended, journal] = await Promise.all([
    host.command(['dpkg-query', '--show', `--showformat=${rowFormat}`], { dependsOn: [statusPath] }),
    host.file('/var/lib/apt/extended_states'),
    host.files(['/var/lib/dpkg/updates/[0-9]*']),
  ])
  if (shown.code !== 0) throw new SakError('read-failed', `dpkg-query: exit ${shown.code}`, { said: shown.stderr })
  return {
    rows: parseRows(shown.stdout, architecture),
    automatic: parseAutomatic(extended.content ?? '', architecture),
    isInterrupted: journal.length > 0,
  }
}

/** When apt's lists were fetched, and the sources that they come from. */
export interface Lists {
  readonly times: ListTimes
  readonly sources: readonly FileRead[]
}

export async function readLists(host: Host): Promise<Lists> {
  const [times, sources] = await Promise.all([
    host.command(listTimes, { dependsOn: [listsPath] }),
    host.files(sourceGlobs),
  ])
  return { times: parseListTimes(times.stdout), sources }
}

/** Why the lists cannot tell what is to be installed, if they cannot. */
export function whyStale({ times, sources }: Lists, { listsMaxAge }: Params): string | undefined {
  const { now, fetched } = times
  if (fetched === undefined) return 'none'
  const newer = sources.find(({ stat }) => (stat?.ctime ?? 0) > fetched)
  if (newer) return `older than ${newer.path}`
  return now - fetched > durationMs(listsMaxAge) / 1000 ? `older than ${listsMaxAge}` : undefined
}
