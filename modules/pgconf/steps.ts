import {
  type Duration,
  type FileState,
  inSync,
  remove,
  renderTemplate,
  run,
  type Step,
  service,
  waitFor,
  write,
} from 'sak-reconcile'
import type { Address, Cluster } from './cluster.ts'
import { preflightArgv, psql, psqlEnv } from './found.ts'
import type { Removal } from './overrides.ts'

/** What apply must know of the server; the same in current and desired. */
export interface Server {
  readonly cluster: Cluster
  readonly state: 'up' | 'down' | 'stays down'
  /** The directory of our file, where it is not there yet. */
  readonly missingDirectory?: string
  /** Where the server listens, and where it will after a restart. */
  readonly now: Address
  readonly next: Address
  readonly path: string
  readonly restart: readonly string[]
  readonly expected: Readonly<Record<string, string>>
  /** How what overrides us outside of the files is taken away. */
  readonly removals: readonly Removal[]
}

/** Files, then their trial, then the server, then its proof, then what else has the last word over us. */
export function stepsFor(
  server: Server,
  files: { before: readonly FileState[]; after: readonly FileState[] },
  answersWithin: Duration,
): readonly (Step | false)[] {
  const { cluster, missingDirectory, removals } = server
  const differing = files.after.filter((file, index) => !inSync(files.before[index], file))
  const lines = removals.filter(removal => removal.kind === 'lines')
  const [auto] = lines.map(({ path }) => path)
  return [
    missingDirectory !== undefined && makeDirectory(missingDirectory, cluster),
    ...differing.map(file => write(file)),
    auto !== undefined && takeOut(auto, lines, cluster),
    run(preflightArgv(cluster), {
      title: 'check that the server would start (postgres -C)',
      as: cluster.owner,
      undo: 'resumable',
    }),
    server.state === 'up' && fileSettings(server),
    ...activation(server, answersWithin),
    ...resetSessions(server),
    // comes back by itself where a later step of one transaction fails, for takeOut to go back by
    auto !== undefined && remove(backup(auto)),
  ]
}

function makeDirectory(path: string, { owner, group }: Cluster): Step {
  const undo = [{ argv: ['sh', '-c', '[ ! -d "$1" ] || rmdir -- "$1"', 'take-away', path] }]
  return run(['install', '-d', '-o', owner, '-g', group, '-m', '0755', path], { undo })
}

const backup = (path: string) => `${path}.sak`

/**
 * Takes settings out of postgresql.auto.conf. Not by ALTER SYSTEM RESET: this works on a server that is down too, and goes back
 * byte for byte when the server does not come up again. As the owner, so that the file stays the owner's.
 */
function takeOut(path: string, lines: readonly { readonly name: string }[], { owner: as }: Cluster): Step {
  const names = lines.map(({ name }) => name.replaceAll('.', '[.]')).join('|')
  // a backup that a full disk or a power cut left short must not be what comes back
  const script =
    'rm -f -- "$2" && cp -p -- "$1" "$2.new" && sync "$2.new" && mv -f -- "$2.new" "$2" && sed -i -E -- "$3" "$1"'
  const back = 'rm -f -- "$2.new"; [ ! -e "$2" ] || mv -f -- "$2" "$1"'
  const pattern = `/^[[:space:]]*(${names})[[:space:]=]/Id`
  const undo = [{ argv: ['sh', '-c', back, 'put-back', path, backup(path)], as }]
  return run(['sh', '-c', script, 'take-out', path, backup(path), pattern], {
    title: `take the overrides out of ${path}`,
    as,
    undo,
  })
}

/** Once the new settings run, because a server that did not come up could not take it back. */
function resetSessions({ cluster, now, next, path, state, restart, expected, removals }: Server): readonly Step[] {
  const as = cluster.owner
  const address = state === 'up' && restart.length === 0 ? now : next
  const resets = removals.flatMap(removal => {
    if (removal.kind !== 'sql') return []
    const statement = (sql: string) => ({ argv: [...psql(cluster, address), '-c', sql], as, env: psqlEnv })
    const { argv, ...options } = statement(removal.remove)
    return run(argv, { ...options, undo: [statement(removal.restore)] })
  })
  return resets.length > 0 ? [...resets, ready({ cluster, path, expected }, address, '10s')] : []
}

/** Asks the running server what it will make of the files. What waits for a restart is no error. */
function fileSettings({ cluster, now }: Server): Step {
  const stdin = sql('refused', {})
  return run(psql(cluster, now), {
    title: 'ask the server what it makes of the files (pg_file_settings)',
    as: cluster.owner,
    env: psqlEnv,
    stdin,
    refuse: '^refused: ',
    undo: 'resumable',
  })
}

function activation(server: Server, answersWithin: Duration): readonly Step[] {
  const { cluster, state, restart, removals } = server
  if (state === 'stays down') return []
  // what is set for roles still hides some of the values from us
  const hidden = new Set(removals.flatMap(removal => (removal.kind === 'sql' ? removal.name : [])))
  const expected = Object.fromEntries(Object.entries(server.expected).filter(([name]) => !hidden.has(name)))
  const proof = { ...server, expected }
  if (state === 'down') return [service(cluster.unit, 'start'), ready(proof, server.next, answersWithin)]
  if (restart.length > 0) return [service(cluster.unit, 'restart'), ready(proof, server.next, answersWithin)]
  // a reload answers at once and is done in the background
  return [service(cluster.unit, 'reload'), ready(proof, server.now, '10s')]
}

/** Waits until the server has read our file as it is now, and runs with what is in it. */
function ready(
  { cluster, path, expected }: Pick<Server, 'cluster' | 'path' | 'expected'>,
  at: Address,
  within: Duration,
) {
  const values = Object.entries(expected).map(([name, setting]) => ({ name: literal(name), setting: literal(setting) }))
  // another cluster's server may be listening there
  const top = literal(`${cluster.directory}/postgresql.conf`)
  const stdin = sql('ready', { top, path: literal(path), expected: values })
  return waitFor(psql(cluster, at), {
    title: 'wait until the server answers with the new values',
    as: cluster.owner,
    env: psqlEnv,
    stdin,
    output: '^ready$',
    within,
  })
}

const sql = (name: 'ready' | 'refused', data: Readonly<Record<string, unknown>>) =>
  renderTemplate(new URL(`./${name}.sql.ejs`, import.meta.url), data)

const literal = (value: string) => `'${value.replaceAll("'", "''")}'`
