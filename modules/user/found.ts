import {
  type Account,
  type FileRead,
  type Group,
  type Host,
  parseAccounts,
  parseGroups,
  type Stat,
} from 'sak-reconcile'
import type { Params } from './params.ts'
import { type Running, readRunning } from './processes.ts'
import { readShadow, type Shadow } from './shadow.ts'

/** What a host has of an account, and what apply must know; apart from what runs. */
export interface Found {
  /** /etc/passwd and /etc/group. */
  readonly files: readonly [FileRead, FileRead]
  readonly accounts: readonly Account[]
  readonly groups: readonly Group[]
  readonly account: Account | undefined
  /** Its home as it should be, with what holds it. */
  readonly home: { readonly path: string; readonly stat: Stat | null; readonly parent: Stat | null }
  readonly shell: { readonly path: string; readonly stat: Stat | null }
  /** Names that another source than the files knows. */
  readonly elsewhere: { readonly account: boolean; readonly groups: readonly string[] }
  readonly loginDefs: string
  readonly hasTools: boolean
  readonly shadow: Shadow | undefined
  /** Its ranges of numbers for containers (`100000-165535`); read only for one that is to go. */
  readonly subordinate: { readonly uids: readonly string[]; readonly gids: readonly string[] }
}

/** Reads all in one trip; a second where an account has its home or shell in another place than usual. */
export async function readFound(host: Host, params: Params): Promise<{ found: Found; running: Running }> {
  const { name, absent } = params
  const usual = usualPlaces(params)
  const wantedGroups = [...(params.groups ?? []), ...(params.group === undefined ? [] : [params.group])]
  const needsShadow = absent || params.password !== undefined || params.locked !== undefined
  const needsRunning = absent || params.uid !== undefined || params.home !== undefined || wantedGroups.length > 0
  const [passwd, group, loginDefs, tool, named, namedGroups, shadow, running, home, shell, subordinate] =
    await Promise.all([
      host.file('/etc/passwd'),
      host.file('/etc/group'),
      host.file('/etc/login.defs'),
      host.stat('/usr/sbin/useradd'),
      host.command(['getent', 'passwd', name]),
      wantedGroups.length > 0 ? host.command(['getent', 'group', ...wantedGroups]) : { stdout: '' },
      needsShadow ? readShadow(host, name) : undefined,
      needsRunning ? readRunning(host, name) : { processes: [], abandoned: [], lingers: false },
      readHome(host, usual.home),
      readShell(host, usual.shell),
      absent ? readSubordinate(host, name) : { uids: [], gids: [] },
    ])
  const [accounts, groups] = [parseAccounts(passwd.content), parseGroups(group.content)]
  const account = accounts.find(each => each.name === name)
  const path = params.home ?? account?.home ?? usual.home
  const known = new Set(groups.map(each => each.name))
  const found: Found = {
    files: [passwd, group],
    accounts,
    groups,
    account,
    home: path === usual.home ? home : await readHome(host, path),
    shell,
    elsewhere: {
      account: !account && parseAccounts(named.stdout).some(each => each.name === name),
      groups: parseGroups(namedGroups.stdout).flatMap(each => (known.has(each.name) ? [] : [each.name])),
    },
    loginDefs: loginDefs.content ?? '',
    hasTools: tool !== null,
    shadow,
    subordinate,
  }
  return { found, running }
}

/** Where an account that is made lives, and what it gets as a shell. */
export function usualPlaces({ name, home, shell, system }: Params) {
  return { home: home ?? `/home/${name}`, shell: shell ?? (system ? '/usr/sbin/nologin' : '/bin/bash') }
}

async function readHome(host: Host, path: string): Promise<Found['home']> {
  const [stat, parent] = await Promise.all([host.stat(path), host.stat(path.replace(/\/[^/]*$/, '') || '/')])
  return { path, stat, parent }
}

const readShell = async (host: Host, path: string) => ({ path, stat: await host.stat(path) })

async function readSubordinate(host: Host, name: string): Promise<Found['subordinate']> {
  const ranges = async (path: string) => {
    const lines = ((await host.file(path)).content ?? '').split('\n').map(line => line.split(':'))
    return lines.flatMap(([account, first, count]) =>
      account === name ? [`${first}-${Number(first) + Number(count) - 1}`] : [],
    )
  }
  const [uids, gids] = await Promise.all([ranges('/etc/subuid'), ranges('/etc/subgid')])
  return { uids, gids }
}
