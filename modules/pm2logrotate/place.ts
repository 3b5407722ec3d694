/** Where a user's PM2 is and what it keeps about its modules. One trip where the home is the usual one. */
import { posix } from 'node:path'
import { blocked, type FileRead, type Host, orUnreadable, parseAccounts, SakError } from 'sak-reconcile'
import type { Params } from './params.ts'
import { isListening, moduleName } from './parse.ts'
import { npmrcPaths } from './registry.ts'

export interface Place {
  readonly pm2Home: string
  /** The pm2 program. */
  readonly pm2: string
  /** A clean environment in which PM2 finds its Node. */
  readonly env: { readonly PATH: string; readonly PM2_HOME: string; readonly LC_ALL: string }
  /** A daemon listens. Asking PM2 itself would start one. */
  readonly daemon: boolean
  /** The unit that starts the daemon, if there is one. */
  readonly unit: string | undefined
  readonly conf: FileRead
  readonly packageJson: FileRead
  readonly npmrcs: readonly FileRead[]
}

const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export async function findPlace(host: Host, params: Params): Promise<Place> {
  const { user } = params
  const usual = user === 'root' ? '/root' : `/home/${user}`
  const unit = `pm2-${user}.service`
  const [passwd, sockets, unitFile, npmrcs, atUsual] = await Promise.all([
    host.file('/etc/passwd'),
    host.file('/proc/net/unix'),
    host.file(`/etc/systemd/system/${unit}`),
    Promise.all(npmrcPaths.map(path => host.file(path))),
    readHome(host, params, usual),
  ])
  const home = parseAccounts(passwd.content).find(({ name }) => name === user)?.home
  if (!home?.startsWith('/')) {
    throw new SakError('no-such-user', `there is no user ${user} in /etc/passwd`, { hint: 'name the one who runs PM2' })
  }
  const { pm2Home, socket, programs, conf, packageJson, npmrc } =
    home === usual ? atUsual : await readHome(host, params, home)
  const pm2 = choose(programs, unitFile.content ?? '')
  if (pm2 === undefined) {
    const hint = 'install it (npm install -g pm2), or name the program by the param pm2'
    throw blocked('not-installed', `found no pm2 for ${user}`, hint)
  }
  return {
    pm2Home,
    pm2,
    // An empty LC_ALL takes back the one of our own clean environment.
    env: { PATH: pathOf(pm2), PM2_HOME: pm2Home, LC_ALL: '' },
    daemon: isListening(sockets.content ?? '', socket),
    unit: unitFile.content === null ? undefined : unit,
    conf,
    packageJson,
    npmrcs: [npmrc, ...npmrcs],
  }
}

interface Program {
  readonly path: string
  readonly realPath: string
}

async function readHome(host: Host, params: Params, home: string) {
  const pm2Home = posix.resolve(params.pm2Home ?? `${home}/.pm2`)
  const socketPath = `${pm2Home}/rpc.sock`
  const [socket, programs, conf, packageJson, npmrc] = await Promise.all([
    orUnreadable(host.stat(socketPath)),
    findPrograms(host, params, home),
    host.file(`${pm2Home}/module_conf.json`),
    host.file(`${pm2Home}/modules/${moduleName}/node_modules/${moduleName}/package.json`),
    host.file(`${home}/.npmrc`),
  ])
  const realPath = socket !== null && 'realPath' in socket ? socket.realPath : undefined
  return { pm2Home, socket: [socketPath, realPath ?? socketPath], programs, conf, packageJson, npmrc }
}

const versioned = ['.nvm/versions/node/*/bin/pm2', '.local/share/fnm/node-versions/*/installation/bin/pm2']
const fixed = ['/usr/local/bin/pm2', '/usr/bin/pm2']

async function findPrograms(host: Host, { pm2 }: Params, home: string): Promise<readonly Program[]> {
  if (pm2 !== undefined) return existing(host, [pm2])
  const [managed, system] = await Promise.all([
    orUnreadable(host.files(versioned.map(glob => `${home}/${glob}`))),
    existing(host, [`${home}/.npm-global/bin/pm2`, `${home}/.local/bin/pm2`, ...fixed]),
  ])
  const versions =
    'kind' in managed ? [] : managed.map(({ path, stat }) => ({ path, realPath: stat?.realPath ?? path }))
  return [...versions.sort((a, b) => b.path.localeCompare(a.path, 'en', { numeric: true })), ...system]
}

async function existing(host: Host, paths: readonly string[]): Promise<readonly Program[]> {
  const stats = await Promise.all(paths.map(path => orUnreadable(host.stat(path))))
  return paths.flatMap((path, index) => {
    const stat = stats[index]
    return !stat || 'kind' in stat || stat.type !== 'file' ? [] : [{ path, realPath: stat.realPath ?? path }]
  })
}

/** The pm2 that the boot unit starts, else the first. */
function choose(programs: readonly Program[], unit: string): string | undefined {
  const words = (/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '').split(/[\s"]+/)
  const booted = programs.find(({ path, realPath }) => words.includes(path) || words.includes(realPath))
  return (booted ?? programs[0])?.path
}

function pathOf(pm2: string): string {
  const directory = posix.dirname(pm2)
  return standardPath.split(':').includes(directory) ? standardPath : `${directory}:${standardPath}`
}
