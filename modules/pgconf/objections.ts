import { blocked, type SakError } from 'sak-reconcile'
import { binaryFiles } from './files.ts'
import type { Found } from './found.ts'
import type { Override } from './overrides.ts'
import { meaningOf, type Setting } from './values.ts'

/** Everything that stands in the way of making the settings so. */
export function objections(
  found: Found,
  settings: ReadonlyMap<string, string>,
  overrides: readonly Override[],
  plan: { readonly changedPaths: readonly string[]; readonly removing: boolean },
): readonly SakError[] {
  const { answer } = found
  const standing = plan.removing ? overrides.filter(override => override.removal === undefined) : overrides
  return [
    ...unsuitable(found, settings),
    ...brokenBefore(found, plan.changedPaths),
    ...(answer.kind === 'up' ? refusedValues(answer.status, settings) : []),
    ...belowPrimary(found, settings),
    ...standing.map(override => overridden(override, plan.removing)),
    ...notText(found, plan.changedPaths),
  ]
}

function overridden({ place, name, value, remedy }: Override, removing: boolean): SakError {
  const hint = removing ? remedy : `${remedy}; or allow that with overrides: 'remove'`
  return blocked('override', `${place} sets ${name} to ${value}, which wins over ours`, hint)
}

function unsuitable({ answer, cluster, address }: Found, settings: ReadonlyMap<string, string>): readonly SakError[] {
  if (answer.kind === 'down' && answer.occupant !== undefined) {
    const message = `port ${address.port} of ${cluster.name}, which is down, is taken by the server of ${answer.occupant}`
    return [blocked('refused', message, 'give one of them another port')]
  }
  if (address.socket === '' || settings.get('unix_socket_directories') === '') {
    const message = `without a unix socket (unix_socket_directories is empty) the server of ${cluster.name} cannot be asked`
    return [blocked('unsupported', message, 'set unix_socket_directories')]
  }
  if (cluster.name.includes('-')) {
    const message = `systemd's ${cluster.unit} cannot serve a cluster with "-" in its name`
    return [blocked('unsupported', message, 'rename it with pg_renamecluster')]
  }
  if (answer.kind !== 'refused') return []
  const isLogin = /authentication|password|pg_hba|role/.test(answer.said)
  const login = `${cluster.owner} must get in by peer authentication (pg_hba.conf: local all ${cluster.owner} peer)`
  const log = `see /var/log/postgresql/${cluster.unit.replace('@', '-')}.log`
  return [blocked('unsupported', `the server would not be asked: ${answer.said}`, isLogin ? login : log)]
}

/** A configuration that was broken before we came, elsewhere than where we are about to write. */
function brokenBefore({ fault, cluster }: Found, changedPaths: readonly string[]): readonly SakError[] {
  if (fault === undefined || 'kind' in fault || fault.files.some(path => changedPaths.includes(path))) return []
  const message = `the configuration of ${cluster.name} is broken already, and not by us: ${fault.said}`
  return [blocked('refused', message, 'mend that first; the server would not start again as it is')]
}

function refusedValues(
  { version, settings, alike }: { version: number; settings: readonly Setting[]; alike: readonly string[] | null },
  wanted: ReadonlyMap<string, string>,
): readonly SakError[] {
  const rows = new Map(settings.map(row => [row.name, row]))
  return [...wanted].flatMap(([name, text]) => {
    const row = rows.get(name)
    if (!row) return name.includes('.') ? [] : [unknownSetting(name, version, alike ?? [])]
    if (row.context === 'internal') return [blocked('refused', `${name} cannot be changed, only seen`)]
    const meaning = meaningOf(text, row)
    return meaning.kind === 'refused' ? [blocked('refused', `${name}: ${meaning.reason}`)] : []
  })
}

function unknownSetting(name: string, version: number, known: readonly string[]): SakError {
  const [nearest] = known
    .map(candidate => ({ candidate, distance: editDistance(name, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= 3)
    .sort((a, b) => a.distance - b.distance)
  const message = `PostgreSQL ${Math.floor(version / 10000)} has no setting ${name}`
  return blocked('refused', message, nearest && `did you mean ${nearest.candidate}?`)
}

/** How many letters must be changed, added or dropped to make one word the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** A standby refuses to run with less than its primary in a few settings (hot standby's five). */
function belowPrimary({ primary }: Found, settings: ReadonlyMap<string, string>): readonly SakError[] {
  return [...primary].flatMap(([name, least]) => {
    const wanted = settings.get(name)
    if (wanted === undefined || !(Number(wanted) < Number(least))) return []
    const message = `${name} = ${wanted} on a standby whose primary has ${least}: it would not start`
    return [blocked('refused', message, 'lower it on the primary first, and let the standby catch up')]
  })
}

function notText({ tree }: Found, changedPaths: readonly string[]): readonly SakError[] {
  const files = changedPaths.slice(1).flatMap(path => tree.files.get(path) ?? [])
  return binaryFiles(files).map(({ path }) =>
    blocked(
      'unsupported',
      `${path} is not UTF-8, so a change to it would spoil its other bytes`,
      'convert it with iconv',
    ),
  )
}
