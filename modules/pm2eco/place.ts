/** Where a user's PM2 is: home, program, daemon. Everything is asked in one trip where the home is the usual one. */
import { posix } from 'node:path'
import {
  type Account,
  blocked,
  type FileRead,
  type Host,
  orUnreadable,
  parseGroups,
  readAccount,
  SakError,
  type Unreadable,
} from 'sak-reconcile'
import type { Params } from './params.ts'
import { type BootUnit, parseListening, parseUnit } from './parse.ts'

/** What the first trip tells about a user's PM2. */
export interface Place {
  readonly home: string
  readonly group: string | undefined
  readonly pm2Home: string
  /** The pm2 program. */
  readonly pm2: string
  /** The PATH that finds PM2's Node, for PM2 and for its apps. */
  readonly path: string
  /** A daemon listens. Asking PM2 itself would start one. */
  readonly daemon: boolean
  readonly daemonOwner: string | undefined
  /** Where anybody's daemon, or anything else, listens. */
  readonly listening: ReadonlySet<string>
  readonly dump: FileRead | Unreadable
  readonly unit: UnitFile
}

/** The systemd unit that brings PM2 back at boot. */
export interface UnitFile {
  readonly name: string
  readonly path: string
  /** Undefined where there is none. */
  readonly unit: BootUnit | undefined
  readonly masked: boolean
  readonly enabled: boolean
}

const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export async function findPlace(host: Host, params: Params): Promise<Place> {
  const usual = params.user === 'root' ? '/root' : `/home/${params.user}`
  const [account, unit, sockets, atUsual, groups] = await Promise.all([
    findAccount(host, params.user),
    readUnit(host, params.user),
    host.file('/proc/net/unix'),
    readHome(host, params, usual),
    host.file('/etc/group'),
  ])
  const { pm2Home, dump, socket, programs, defaultVersion } =
    account.home === usual ? atUsual : await readHome(host, params, account.home)
  const pm2 = choose(programs, unit.unit?.start, defaultVersion)
  if (pm2 === undefined) throw notInstalled(params)
  const listening = parseListening(sockets.content ?? '')
  return {
    home: account.home,
    group: parseGroups(groups.content).find(({ gid }) => gid === account.gid)?.name,
    pm2Home,
    pm2,
    path: pathOf(pm2),
    daemon: [socket.path, socket.realPath].some(path => path !== undefined && listening.has(path)),
    daemonOwner: socket.owner,
    listening,
    dump,
    unit,
  }
}

async function findAccount(host: Host, user: string): Promise<Account> {
  const account = await readAccount(host, user)
  if (account?.home.startsWith('/')) return account
  throw new SakError('no-such-user', `there is no user ${user}`, {
    hint: 'name the one who runs PM2 by the param user',
  })
}

async function readUnit(host: Host, user: string): Promise<UnitFile> {
  const name = `pm2-${user}.service`
  const path = `/etc/systemd/system/${name}`
  // asked as a glob, because a masked unit is no regular file
  const [[read], stat, links] = await Promise.all([
    host.files([path]),
    host.stat(path),
    host.files([`/etc/systemd/system/*.wants/${name}`, `/etc/systemd/system/*.requires/${name}`]),
  ])
  return {
    name,
    path,
    unit: read?.content ? parseUnit(read.content) : undefined,
    masked: stat !== null && stat.type !== 'file',
    enabled: links.length > 0,
  }
}

/** A pm2 program that is there, and what it leads to. */
interface Program {
  readonly path: string
  readonly realPath: string
}

interface HomeOf {
  readonly pm2Home: string
  readonly dump: FileRead | Unreadable
  readonly socket: { readonly path: string; readonly realPath?: string | undefined; readonly owner?: string }
  /** Best first. */
  readonly programs: readonly Program[]
  /** The version that nvm takes by default, or its beginning. */
  readonly defaultVersion: string
}

async function readHome(host: Host, params: Params, home: string): Promise<HomeOf> {
  const pm2Home = posix.resolve(params.pm2Home ?? `${home}/.pm2`)
  const socketPath = `${pm2Home}/rpc.sock`
  const [dump, socket, programs, alias] = await Promise.all([
    orUnreadable(host.file(`${pm2Home}/dump.pm2`)),
    orUnreadable(host.stat(socketPath)),
    findPrograms(host, params, home),
    orUnreadable(host.file(`${home}/.nvm/alias/default`)),
  ])
  const known = socket === null || 'error' in socket ? {} : { realPath: socket.realPath, owner: socket.owner }
  const defaultVersion = 'path' in alias ? (alias.content ?? '').trim().replace(/^v/, '') : ''
  return { pm2Home, dump, socket: { path: socketPath, ...known }, programs, defaultVersion }
}

/** Where version managers keep a Node with its own pm2. */
const versioned = [
  '.nvm/versions/node/*/bin/pm2',
  '.local/share/fnm/node-versions/*/installation/bin/pm2',
  '.asdf/installs/nodejs/*/bin/pm2',
  '.local/share/mise/installs/node/*/bin/pm2',
]
const inHome = ['.volta/bin/pm2', '.npm-global/bin/pm2', '.local/bin/pm2', 'n/bin/pm2']
const inSystem = ['/usr/local/bin/pm2', '/usr/bin/pm2']

async function findPrograms(host: Host, { pm2 }: Params, home: string): Promise<readonly Program[]> {
  if (pm2 !== undefined) return existing(host, [pm2])
  const [managed, fixed] = await Promise.all([
    orUnreadable(host.files(versioned.map(glob => `${home}/${glob}`))),
    existing(host, [...inHome.map(path => `${home}/${path}`), ...inSystem]),
  ])
  // it may be where we may not look
  if ('error' in managed && fixed.length === 0) throw managed.error
  const versions =
    'error' in managed ? [] : managed.map(({ path, stat }) => ({ path, realPath: stat?.realPath ?? path }))
  const newestFirst = versions.sort((a, b) => b.path.localeCompare(a.path, 'en', { numeric: true }))
  return [...newestFirst, ...fixed]
}

async function existing(host: Host, paths: readonly string[]): Promise<readonly Program[]> {
  const stats = await Promise.all(paths.map(path => orUnreadable(host.stat(path))))
  return paths.flatMap((path, index) => {
    const stat = stats[index]
    if (!stat || 'kind' in stat || stat.type !== 'file') return []
    return [{ path, realPath: stat.realPath ?? path }]
  })
}

/** The pm2 that the boot unit starts, else that of nvm's default Node, else the first. */
function choose(programs: readonly Program[], start: readonly string[] = [], version: string): string | undefined {
  const booted = programs.find(({ path, realPath }) => start.includes(path) || start.includes(realPath))
  const preferred = programs.find(({ path }) =>
    /^(\S+?)\/bin\//.exec(path.split('/versions/node/v')[1] ?? '')?.[1]?.startsWith(version),
  )
  return (booted ?? preferred ?? programs[0])?.path
}

function pathOf(pm2: string): string {
  const directory = posix.dirname(pm2)
  return standardPath.split(':').includes(directory) ? standardPath : `${directory}:${standardPath}`
}

function notInstalled({ pm2, user }: Params): SakError {
  if (pm2 !== undefined) return blocked('not-installed', `there is no ${pm2}`, 'mend the param pm2, or leave it out')
  const hint = 'install it (npm install -g pm2), or name the program by the param pm2'
  return blocked('not-installed', `found no pm2 for ${user}: not in the system, nor in nvm and its kin`, hint)
}
