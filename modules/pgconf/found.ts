import { type Duration, type FileRead, type Host, orUnreadable, renderTemplate, type Unreadable } from 'sak-reconcile'
import {
  type Address,
  type Cluster,
  configurationGlobs,
  configuredAddress,
  dataDirectory,
  findCluster,
  lockGlobs,
  runningAddress,
} from './cluster.ts'
import { completeTree, type Entry, follow, type Tree } from './configuration.ts'
import type { Params } from './params.ts'
import { settingsOf } from './params.ts'
import {
  type Answer,
  type Fault,
  parseControlData,
  parseLines,
  parsePreflight,
  parseStart,
  parseStatus,
} from './parse.ts'

/** What a host said of a cluster. */
export interface Found {
  readonly cluster: Cluster
  readonly tree: Tree
  /** Our file. */
  readonly path: string
  /** Names in our file that are not wanted any more. */
  readonly released: readonly string[]
  /** Whether the directory of our file is there. */
  readonly hasDirectory: boolean
  readonly start: 'auto' | 'manual' | 'disabled'
  /** postgresql.auto.conf, which ALTER SYSTEM writes and the server reads last. */
  readonly auto: FileRead | Unreadable
  readonly address: Address
  readonly answer: Answer | Unreadable
  /** What is wrong with the configuration as it is. */
  readonly fault: Fault | Unreadable | undefined
  /** On a standby: the values of its primary, below which it would not start. */
  readonly primary: ReadonlyMap<string, string>
}

/** Reads all that there is to know: one trip for the files, one for what they lead to. */
export async function find(host: Host, params: Params): Promise<Found> {
  const [files, locks] = await Promise.all([host.files(configurationGlobs), orUnreadable(host.files(lockGlobs))])
  const cluster = findCluster(files, params.cluster)
  const path = `${cluster.directory}/conf.d/${params.file}`
  const top = `${cluster.directory}/postgresql.conf`
  const own = files.filter(file => file.path.startsWith(`${cluster.directory}/`))
  const listed = new Set([`${cluster.directory}/conf.d`])
  const tree = await completeTree(host, top, { files: new Map(own.map(file => [file.path, file])), listed })
  const { entries } = follow(top, tree)
  const wanted = settingsOf(params)
  const released = parseLines(tree.files.get(path)?.content ?? '')
    .map(line => line.name)
    .filter(name => !wanted.has(name) && /^[a-z_][a-z0-9_.]*$/.test(name))
  const data = dataDirectory(cluster, entries)
  const address = ('kind' in locks ? undefined : runningAddress(data, locks)) ?? configuredAddress(entries)
  const [answer, fault, auto, directory] = await Promise.all([
    orUnreadable(askServer(host, cluster, address, [...wanted.keys(), ...released])),
    orUnreadable(preflight(host, cluster)),
    orUnreadable(host.file(`${data}/postgresql.auto.conf`)),
    host.stat(`${cluster.directory}/conf.d`),
  ])
  const primary = await primaryValues(host, cluster, data, answer)
  const start = parseStart(tree.files.get(`${cluster.directory}/start.conf`)?.content ?? null)
  return {
    cluster,
    tree,
    path,
    released,
    hasDirectory: directory !== null,
    start,
    auto,
    address,
    answer,
    fault,
    primary,
  }
}

/** The program of the cluster's own version. Debian's wrappers are slower and stumble over a broken configuration. */
export const program = ({ version }: Pick<Cluster, 'version'>, name: string) =>
  `/usr/lib/postgresql/${version}/bin/${name}`

/** psql as it takes statements on its stdin: answers bare, asks for no password, reads no psqlrc. */
export function psql(cluster: Pick<Cluster, 'version'>, { socket, port }: Address): readonly string[] {
  return [program(cluster, 'psql'), '-XAtqw', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', port, '-d', 'postgres']
}

/** For psql as it runs on a host: answers in UTF-8, and gives up on a server that takes the connection and says nothing. */
export const psqlEnv = { PGCLIENTENCODING: 'UTF8', PGCONNECT_TIMEOUT: '10' } as const

const patience: Duration = '20s'

async function askServer(host: Host, cluster: Cluster, address: Address, names: readonly string[]): Promise<Answer> {
  const stdin = renderTemplate(new URL('./status.sql.ejs', import.meta.url), { names })
  const options = { as: cluster.owner, env: psqlEnv, stdin, timeout: patience, dependsOn: dependencies(cluster) }
  const result = await host.command(psql(cluster, address), options)
  const answer = parseStatus(result)
  if (answer.kind !== 'up' || answer.status.configFile === `${cluster.directory}/postgresql.conf`) return answer
  return { kind: 'down', occupant: answer.status.configFile }
}

/** The command that reads the whole configuration as a start would, and starts nothing. */
export const preflightArgv = (cluster: Pick<Cluster, 'version' | 'directory'>) => [
  program(cluster, 'postgres'),
  '-C',
  'work_mem',
  '-D',
  cluster.directory,
]

async function preflight(host: Host, cluster: Cluster): Promise<Fault | undefined> {
  const options = { as: cluster.owner, timeout: patience, dependsOn: dependencies(cluster) }
  return parsePreflight(await host.command(preflightArgv(cluster), options))
}

/** Another task that writes these would have the server read them. */
const dependencies = ({ directory }: Cluster) => [`${directory}/*.conf`, `${directory}/conf.d/*.conf`]

async function primaryValues(
  host: Host,
  cluster: Cluster,
  data: string,
  answer: Answer | Unreadable,
): Promise<ReadonlyMap<string, string>> {
  if (answer.kind !== 'up' || !answer.status.standby) return new Map()
  const { stdout } = await host.command([program(cluster, 'pg_controldata'), '-D', data], { as: cluster.owner })
  return parseControlData(stdout)
}

/** The settings that the files make, in the order in which the server reads them, ALTER SYSTEM's last. */
export function entriesWith(found: Pick<Found, 'cluster' | 'auto'>, tree: Tree): readonly Entry[] {
  const { auto } = found
  const { entries } = follow(`${found.cluster.directory}/postgresql.conf`, tree)
  if (auto.kind === 'unreadable') return entries
  return [...entries, ...parseLines(auto.content ?? '').map(line => ({ ...line, path: auto.path }))]
}
