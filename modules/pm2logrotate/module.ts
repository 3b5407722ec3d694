import {
  blocked,
  defineModule,
  type FileRead,
  type FileState,
  type Host,
  orUnreadable,
  run,
  SakError,
  service,
  waitFor,
  write,
} from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { mixedLogs } from './mixed-logs.ts'
import { Params, type Settings, wantedSettings } from './params.ts'
import {
  isInstalled,
  moduleName,
  type Pm2Process,
  parseConf,
  parseJlist,
  parseVersion,
  sameSetting,
  settingsOf,
  withSettings,
} from './parse.ts'
import { findPlace, type Place } from './place.ts'
import { registryOf, unreachable } from './registry.ts'

type Report = Readonly<Record<string, string>>

/** Keeps PM2's own rotation of its logs: the module pm2-logrotate, installed, set and running. */
export const pm2logrotate = defineModule({
  name: 'pm2logrotate',
  description: "Keeps PM2's own log rotation: the module pm2-logrotate installed, set and running",
  params: Params,
  impact: 'none',
  example: { user: 'ubuntu', max_size: '50M', retain: 14 },
  keys: {
    saved: 'our settings in ~/.pm2/module_conf.json',
    running: 'pm2 jlist as the user: status, and the settings that the process was started with',
    boot: "the module in PM2's list of modules, and its files",
  },
  owns: ({ user, pm2Home }) => [`pm2:${pm2Home ?? user}:${moduleName}`],
  // A Node.js process of its own; its share of the memory (PSS) as measured with version 3.0.0 on Node 20.
  // measured (PSS): 36 beside one other process of Node
  footprint: () => ({ MiB: 40, what: 'a process of its own' }),
  adopt,
  async check(host, params) {
    const place = await findPlace(host, params)
    const conf = parseConf(place.conf.content)
    if (!conf) {
      throw blocked(
        'refused',
        `${place.conf.path} is not JSON, so that PM2 cannot read it either`,
        'mend it, or delete it',
      )
    }
    const version = parseVersion(place.packageJson.content)
    const isThere = isInstalled(conf) && version !== undefined
    const isRight = isThere && (params.version ?? version) === version
    const [processes, cutOff] = await Promise.all([
      orUnreadable(readProcesses(host, place, params.user)),
      isRight ? [] : whyCutOff(host, place),
    ])
    const known = 'kind' in processes ? [] : processes
    const settings = wantedSettings(params, settingsOf(conf[moduleName]), ourProcess(known)?.settings ?? {})
    return {
      current: {
        saved: place.conf,
        running: 'kind' in processes ? processes : runningOf(place, processes, settings),
        boot: {
          [moduleName]: isThere ? 'installed' : 'not installed',
          ...(params.version && { version: version ?? 'none' }),
        },
        // in both, the same: apply needs it, and it never is a change
        place,
      },
      desired: {
        saved: savedAs(place.conf, withSettings(place.conf.content, conf, settings), params.user),
        running: { status: 'online', ...settings },
        boot: { [moduleName]: 'installed', ...(params.version && { version: params.version }) },
        place,
      },
      blocked: [...cutOff, ...ignoresCompress(params, version), ...withoutDaemon(place), ...mixedLogs(known)],
    }
  },
  apply({ saved, running, boot }, params, { place, running: now }) {
    const { user } = params
    const { pm2, env } = place
    const there = place.daemon && !('kind' in now) && now.status !== 'not running'
    const install = boot !== undefined || (place.daemon && !there)
    const restart = [pm2, 'restart', moduleName, '--update-env']
    const folder = `${place.pm2Home}/modules/${moduleName}`
    const spec = params.version ? `${moduleName}@${params.version}` : moduleName
    return [
      !place.daemon && place.unit !== undefined && service(place.unit, 'start'),
      // First done is last undone: once the old settings are back, they are taken up again.
      there &&
        saved &&
        !install &&
        run(['true'], {
          title: '(only if undone: PM2 takes its old settings up again)',
          undo: [{ argv: restart, as: user, env }],
        }),
      saved && write(saved.after),
      // PM2 takes a module whose folder is gone for installed, and breaks.
      install && run(['mkdir', '-p', '--', folder], { as: user, undo: 'resumable' }),
      install &&
        run([pm2, 'install', spec], {
          as: user,
          env,
          timeout: '10m',
          undo: boot?.before[moduleName] === 'not installed' ? [uninstall(place, user, folder)] : 'resumable',
        }),
      !install && running && run(restart, { as: user, env, undo: 'resumable' }),
      (install || running) && waitFor([pm2, 'pid', moduleName], { as: user, env, output: '^[1-9][0-9]*$' }),
    ]
  },
})

function uninstall({ pm2, env }: Place, user: string, folder: string) {
  const script = '"$1" uninstall pm2-logrotate >/dev/null 2>&1; rm -rf -- "$2"'
  return { argv: ['sh', '-c', script, 'uninstall', pm2, folder], as: user, env }
}

async function readProcesses(host: Host, { daemon, pm2, env }: Place, user: string): Promise<readonly Pm2Process[]> {
  if (!daemon) return []
  const { code, stdout, stderr } = await host.command([pm2, 'jlist'], { as: user, env })
  if (code === 0) return parseJlist(stdout)
  throw new SakError('read-failed', `${pm2} jlist, as ${user}: exit ${code}`, { said: stderr || stdout })
}

/** What runs, in the words of a report; a setting that means the same is shown as it is wanted. */
function runningOf({ daemon }: Place, processes: readonly Pm2Process[], wanted: Settings): Report {
  if (!daemon) return { status: 'PM2 is not running' }
  const found = ourProcess(processes)
  if (!found) return { status: 'not running' }
  const settings = Object.entries(wanted).map(([name, value]) => {
    const current = found.settings[name]
    return [name, sameSetting(name, current, value) ? value : (current ?? 'not set')] as const
  })
  return { status: found.status, ...Object.fromEntries(settings) }
}

function ourProcess(processes: readonly Pm2Process[]): Pm2Process | undefined {
  return processes.find(({ name, module }) => name === moduleName && module)
}

function savedAs(current: FileRead, content: string, user: string): FileState {
  const { path } = current
  return current.content === null ? { kind: 'file', path, content, owner: user } : { kind: 'file', path, content }
}

async function whyCutOff(host: Host, place: Place): Promise<readonly SakError[]> {
  const registry = registryOf(place.npmrcs)
  return registry ? unreachable(host, registry, { PATH: place.env.PATH }) : []
}

function ignoresCompress({ compress, version: wanted }: Params, found: string | undefined): readonly SakError[] {
  if (!compress || (wanted ?? found ?? '3.0.0') !== '3.0.0') return []
  const hint = "leave compress out, or take the version before: version: '2.7.0'"
  return [blocked('unsupported', 'pm2-logrotate 3.0.0 never compresses, whatever it is told', hint)]
}

function withoutDaemon({ daemon, unit, pm2Home }: Place): readonly SakError[] {
  if (daemon || unit !== undefined) return []
  const message = `no PM2 runs for ${pm2Home}, and no unit starts one at boot: a PM2 started from here would not last`
  return [blocked('unsupported', message, 'set PM2 up first: pm2eco, or `pm2 startup`')]
}
