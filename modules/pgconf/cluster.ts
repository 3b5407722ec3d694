import { blocked, type FileRead } from 'sak-reconcile'
import { type Entry, winner } from './configuration.ts'
import { type Lock, parseLock } from './parse.ts'

/** What belongs to a cluster on Debian and Ubuntu. */
export const configurationGlobs = ['postgresql.conf', 'conf.d/*.conf', 'start.conf', 'pg_ctl.conf'].map(
  name => `/etc/postgresql/*/*/${name}`,
)

/** Says, for each server that runs, its data directory and where it listens now, which the files may not say any more. */
export const lockGlobs = ['/run/postgresql/.s.PGSQL.*.lock']

/** A cluster: a data directory with a server of its own, and its configuration. */
export interface Cluster {
  /** `15/main` */
  readonly name: string
  readonly version: string
  readonly directory: string
  /** The user that its server runs as, and the group of its configuration. */
  readonly owner: string
  readonly group: string
  readonly unit: string
}

/** Finds the cluster that is meant among the files of all clusters. */
export function findCluster(files: readonly FileRead[], wanted: string | undefined): Cluster {
  const tops = files.filter(file => file.path.endsWith('/postgresql.conf'))
  const names = tops.map(file => nameOf(file.path))
  const [first] = names
  if (first === undefined) {
    throw blocked(
      'not-installed',
      'there is no PostgreSQL cluster (/etc/postgresql/VERSION/NAME/postgresql.conf)',
      "packages({ name: 'postgresql' }) before this task installs it",
    )
  }
  if (wanted === undefined && names.length > 1) {
    throw blocked(
      'refused',
      `there are ${names.length} clusters: ${names.join(', ')}`,
      `say which: cluster: '${first}'`,
    )
  }
  const top = tops.find(file => nameOf(file.path) === (wanted ?? first))
  if (!top) throw blocked('not-installed', `there is no cluster ${wanted}, only ${names.join(', ')}`)
  return describe(top)
}

const nameOf = (path: string) => path.split('/').slice(3, 5).join('/')

function describe(top: FileRead): Cluster {
  const name = nameOf(top.path)
  const { owner = 'postgres', group = 'postgres' } = top
  return {
    name,
    version: name.split('/')[0] ?? '',
    directory: top.path.replace(/\/postgresql\.conf$/, ''),
    // a configuration may be root's, a server never is
    owner: owner === 'root' ? 'postgres' : owner,
    group: owner === 'root' ? 'postgres' : group,
    unit: `postgresql@${name.replace('/', '-')}`,
  }
}

/** Where a cluster's server listens. */
export interface Address {
  readonly socket: string
  readonly port: string
}

// what Debian's packages are built with
const defaults = { socket: '/var/run/postgresql', port: '5432' }

export function dataDirectory(cluster: Cluster, entries: readonly Entry[]): string {
  return winner(entries, 'data_directory')?.value ?? `/var/lib/postgresql/${cluster.name}`
}

/** Where the server will listen, going by its files. */
export function configuredAddress(entries: readonly Entry[]): Address {
  const [socket = ''] = (winner(entries, 'unix_socket_directories')?.value ?? defaults.socket).split(',')
  return { socket: socket.trim().replace(/^"(.*)"$/, '$1'), port: winner(entries, 'port')?.value ?? defaults.port }
}

/** Where the server listens now, going by the lock files of those that run. */
export function runningAddress(dataDirectory: string, locks: readonly FileRead[]): Address | undefined {
  return locks
    .map(file => parseLock(file.content ?? ''))
    .find((lock): lock is Lock => lock?.dataDirectory === dataDirectory)
}
