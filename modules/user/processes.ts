import { blocked, type CommandResult, type Group, type Host, parseUnits, type SakError } from 'sak-reconcile'

/** A process of an account, in whatever role. */
export interface Process {
  readonly pid: number
  readonly name: string
  /** It is the account's and no other's: not a program such as sudo, that runs as somebody else. */
  readonly own: boolean
  /** The numbers of the groups that it has. */
  readonly gids: readonly number[]
  /** The unit of systemd that it belongs to: `shop.service`, `session-3.scope`, `user@1000.service`; empty where there is none. */
  readonly unit: string
}

/** What runs as an account. */
export interface Running {
  readonly processes: readonly Process[]
  /** Scopes of logins that are over, while something that was started in them goes on. */
  readonly abandoned: readonly string[]
  /** Whether the account's own systemd runs without a login. */
  readonly lingers: boolean
}

const list = `u=$(id -u -- "$1" 2>/dev/null) || exit 0
for f in $(grep -ls "^Uid:.*[[:space:]]$u[[:space:]]" /proc/[0-9]*/status); do
  d=\${f%/status}
  echo "Pid: $u \${d#/proc/}"
  grep -hsE '^(Name|Uid|Gid|Groups):|^0::|^[0-9]+:name=systemd:' "$d/status" "$d/cgroup"
done`

/** Looks at all processes of an account. Root, because the kernel may hide those of others. */
export async function readRunning(host: Host, name: string): Promise<Running> {
  const [listed, scopes, linger] = await Promise.all([
    host.command(['sh', '-c', list, 'sh', name], { as: 'root' }),
    host.command(['systemctl', 'show', 'session-*.scope', '-p', 'Id,SubState']),
    host.stat(`/var/lib/systemd/linger/${name}`),
  ])
  return { processes: parseProcesses(listed), abandoned: abandonedIn(scopes), lingers: linger !== null }
}

const abandonedIn = ({ stdout }: CommandResult): readonly string[] =>
  parseUnits(stdout).flatMap(({ Id, SubState }) => (Id !== undefined && SubState === 'abandoned' ? [Id] : []))

function parseProcesses({ stdout }: CommandResult): readonly Process[] {
  return stdout
    .split(/^Pid: /m)
    .slice(1)
    .map(parseProcess)
}

function parseProcess(text: string): Process {
  const [uid = '', pid = ''] = text.split(/\s/, 2)
  const numbers = (key: string) => (new RegExp(`^${key}:(.*)$`, 'm').exec(text)?.[1] ?? '').trim().split(/\s+/)
  const cgroup = /^\d+:(?:name=systemd)?:(.*)$/m.exec(text)?.[1] ?? ''
  return {
    pid: Number(pid),
    name: /^Name:\s*(.*)$/m.exec(text)?.[1] ?? '?',
    own: numbers('Uid').every(number => number === uid),
    gids: [...numbers('Groups'), ...numbers('Gid')].filter(Boolean).map(Number),
    unit: cgroup.split('/').find(part => /\.(service|scope)$/.test(part)) ?? '',
  }
}

/** The processes in words, the first few of them. */
export function namesOf(processes: readonly Process[]): string {
  const names = processes.slice(0, 5).map(({ name, pid }) => `${name} (${pid})`)
  const more = processes.length - names.length
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Why an account may not be renumbered, moved or removed now. */
export function inUse(name: string, { processes }: Running, what: string): readonly SakError[] {
  if (processes.length === 0) return []
  return [
    blocked(
      'refused',
      `${name} is logged in or has processes, and so ${what}: ${namesOf(processes)}`,
      'log out and stop them first',
    ),
  ]
}

/** The groups that each process of an account is to have, and those that it may not. */
export interface WantedGroups {
  readonly wanted: readonly (Group | { readonly name: string; readonly gid: undefined })[]
  readonly unwanted: readonly Group[]
}

/** Units whose processes run on with other groups than new ones get, and processes of no unit that do. */
export interface Stale {
  readonly units: Readonly<Record<string, string>>
  readonly strays: readonly Process[]
}

/** Jobs and logins in their name end by themselves; a restart would not change them. */
const starters = /^(cron|crond|cronie|atd|anacron|ssh|sshd|dropbear|getty@.*|systemd-logind)\.service$/

/**
 * What runs with old groups. A login that is open is left out: it ends, and the next has them. What was left behind by one that is over
 * belongs to nobody who could restart it.
 */
export function staleOf({ processes, abandoned, lingers }: Running, groups: WantedGroups): Stale {
  const units: Record<string, string> = {}
  const strays: Process[] = []
  for (const process of processes) {
    const why = process.own && process.name !== '(sd-pam)' ? otherGroups(process, groups) : ''
    if (why === '' || starters.test(process.unit)) continue
    const { unit } = process
    if (unit.startsWith('user@') ? lingers : unit.endsWith('.service')) units[unit] = why
    else if (unit === '' || abandoned.includes(unit)) strays.push(process)
  }
  return { units, strays }
}

function otherGroups({ gids }: Process, { wanted, unwanted }: WantedGroups): string {
  const lacks = wanted.filter(({ gid }) => gid === undefined || !gids.includes(gid)).map(({ name }) => name)
  const has = unwanted.filter(({ gid }) => gids.includes(gid)).map(({ name }) => name)
  return [lacks.length > 0 && `without ${lacks.join(', ')}`, has.length > 0 && `with ${has.join(', ')}`]
    .filter(Boolean)
    .join(', ')
}
