import { blocked, type CommandResult, type Host, sha256Of } from 'sak-reconcile'
import type { Config } from './config.ts'
import { observe, recordPath } from './scripts.ts'

/** nginx as the kernel and systemd know it. */
export interface Service {
  readonly active: boolean
  /** systemd's UnitFileState: `enabled`, `disabled`, `static` ... */
  readonly unitFile: string
  /** `PID START` of each worker that takes requests. */
  readonly workers: readonly string[]
  /** When the oldest of them started, in seconds since 1970; undefined without workers. */
  readonly since: number | undefined
  /** What our last reload loaded, if its workers still run. */
  readonly loaded: ReadonlyMap<string, string> | undefined
}

/** Clock ticks a second, as the kernel tells them to programs. */
const ticks = 100

/** Reads which workers run, since when, and what they loaded if it was us who had them load it. */
export async function readService(host: Host): Promise<Service> {
  const [observed, record] = await Promise.all([
    host.command(observe.argv, { stdin: observe.stdin }),
    host.file(recordPath),
  ])
  const service = parseService(observed)
  return { ...service, loaded: parseRecord(record.content ?? '', service.workers) }
}

/** What `observe` printed. */
export function parseService({ code, stdout, stderr }: CommandResult): Omit<Service, 'loaded'> {
  if (code !== 0) {
    const said = stderr.trim().split('\n')[0] ?? ''
    throw blocked('unsupported', `systemd cannot be asked about nginx: ${said}`, 'nginx must be a unit of systemd')
  }
  const lines = stdout.split('\n')
  const value = (name: string) => lines.find(line => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
  const load = value('LoadState')
  if (load === 'masked') throw blocked('refused', 'nginx.service is masked', 'systemctl unmask nginx')
  if (load !== 'loaded') throw blocked('unsupported', `systemd has no nginx.service (${load})`)
  const stray = lines.find(line => line.startsWith('master '))?.split(' ')[1]
  if (stray !== undefined) {
    const hint = `stop it (kill -QUIT ${stray}) and: systemctl start nginx`
    throw blocked('unsupported', `nginx runs (process ${stray}), but systemd did not start it`, hint)
  }
  if (lines.includes('hidden')) throw blocked('needs-root', "the kernel hides other users' processes", 'use --become')
  const workers = lines.filter(line => line.startsWith('worker ')).map(line => line.slice(7))
  const starts = workers.map(worker => Number(worker.split(' ')[1]))
  const since = Number(value('now')) - (Number(value('self')) - Math.min(...starts)) / ticks
  return {
    active: ['active', 'reloading'].includes(value('ActiveState')),
    unitFile: value('UnitFileState'),
    workers,
    since: Number.isFinite(since) ? since : undefined,
  }
}

/**
 * The digests that were recorded at our last reload, if they still speak of the present: a reload replaces every worker, so
 * one that was recorded and still runs proves that there was none since.
 */
export function parseRecord(text: string, workers: readonly string[]): ReadonlyMap<string, string> | undefined {
  const lines = text.split('\n')
  if (!workers.some(worker => lines.includes(`worker ${worker}`))) return undefined
  const digests = lines.map(line => /^([0-9a-f]{64}) [ *](.+)$/.exec(line))
  return new Map(digests.flatMap(match => (match?.[1] && match[2] ? [[match[2], match[1]] as const] : [])))
}

/** The state of nginx, and of each file and directory whether it is loaded. */
export type Running = Readonly<Record<string, string>>

/** Of the files of an nginx that is stopped: nothing is wrong with them but that. */
export const atStart = 'loaded at start'

/**
 * What runs. A file that is not as it was when the workers loaded it says so: by its digest where we recorded it, else by the
 * time of its last change (ctime, which nobody can set back) against the start of the oldest worker.
 */
export function runningNow(service: Service, { files, directories }: Config): Running {
  const { active, since, loaded, workers } = service
  if (!active) return { nginx: 'stopped', ...Object.fromEntries(files.map(file => [file.path, atStart])) }
  const state = { nginx: workers.length === 0 ? 'without workers' : 'running' }
  if (loaded) {
    const now = files.map(file => [file.path, verdict(loaded.get(file.path), sha256Of(file))])
    const gone = [...loaded.keys()].filter(path => !files.some(file => file.path === path))
    return { ...state, ...Object.fromEntries(now), ...Object.fromEntries(gone.map(path => [path, 'loaded, but gone'])) }
  }
  const changed = (ctime: number | undefined) => since === undefined || (ctime ?? 0) > since
  return {
    ...state,
    ...Object.fromEntries(
      files.map(file => [file.path, changed(file.stat?.ctime) ? 'changed since nginx loaded it' : 'loaded']),
    ),
    ...Object.fromEntries(
      [...directories.entries()].flatMap(([path, stat]) =>
        stat && changed(stat.ctime) ? [[`${path}/`, 'entries changed since nginx loaded them']] : [],
      ),
    ),
  }
}

function verdict(loaded: string | undefined, now: string): string {
  if (loaded === undefined) return 'not loaded'
  return loaded === now ? 'loaded' : 'changed since nginx loaded it'
}
