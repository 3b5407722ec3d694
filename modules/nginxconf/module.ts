import {
  blocked,
  defineModule,
  type FileState,
  inSync,
  orUnreadable,
  run,
  service,
  type Unreadable,
  waitFor,
  write,
} from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { advice } from './advice.ts'
import { type Config, readConfig } from './config.ts'
import { decide } from './decide.ts'
import { slotOf } from './directives.ts'
import { footprint } from './footprint.ts'
import { Params, setting } from './params.ts'
import { atStart, type Running, readService, runningNow, type Service } from './running.ts'
import { newWorkers, note, record, test } from './scripts.ts'

/** Keeps directives of nginx's `http`, upstreams and small proxy sites, and proves that the running workers have loaded them. */
export const nginxconf = defineModule({
  name: 'nginxconf',
  description:
    "Keeps directives of nginx's http block, upstreams and small proxy sites, and that nginx has loaded them.",
  params: Params,
  impact: 'reload',
  example: {
    http: { client_max_body_size: '10m', gzip: true },
    upstreams: { backend: { servers: ['localhost:5000'], keepalive: 32 } },
    sites: { shop: { server_name: ['shop.example'], upstream: 'backend' } },
  },
  keys: {
    saved: 'our file, and those of others that set the same: nginx.conf and all that it includes is read',
    running: 'whether the workers that take requests have loaded those files',
    boot: 'whether nginx.service is enabled',
  },
  owns: ({ path, http, upstreams, sites }) => [
    path,
    ...Object.entries(http).flatMap(([name, value]) =>
      [value].flat().map(text => `nginx:http.${slotOf(setting(name, text))}`),
    ),
    ...Object.keys(upstreams).map(name => `nginx:upstream.${name}`),
    ...Object.keys(sites).map(name => `nginx:site.${name}`),
  ],
  footprint,
  advice,
  adopt,
  async check(host, params) {
    // All asked in one tick, so that it is one trip; what is not installed is said before what follows from it.
    const reading = Promise.all([readConfig(host, params.path), host.file(params.path)])
    reading.catch(() => {})
    const [build, state] = await Promise.all([host.command(['nginx', '-V']), orUnreadable(readService(host))])
    if (build.code === 127)
      throw blocked('not-installed', 'there is no nginx', "packages({ name: 'nginx' }) before this task installs it")
    const [config, standing] = await reading
    const { ours, others, blocked: reasons } = decide(config, params, build.stderr)
    const before = others.map(other => config.files.find(file => file.path === other.path) ?? other)
    const saved: Layer<readonly FileState[]> = { current: [standing, ...before], desired: [ours, ...others] }
    const { running, boot } = isUnreadable(state) ? unknown(state) : layers(state, config, saved)
    return {
      current: { saved: saved.current, running: running.current, boot: boot.current },
      desired: { saved: saved.desired, running: running.desired, boot: boot.desired },
      blocked: reasons,
    }
  },
  apply({ saved, running, boot }, params) {
    const files = (saved?.after ?? []).filter((file, index) => !inSync(saved?.before[index], file))
    const enable = boot && service('nginx', 'enable')
    if (!running) return [enable]
    const whole = test(pathsOf(running.after, value => value !== 'gone'))
    const before = note(knownLoaded(running.before))
    return [
      run(before.argv, { title: 'note which files and workers are loaded', stdin: before.stdin, undo: 'resumable' }),
      ...files.map(file => write(file)),
      run(whole.argv, {
        title: 'check the whole configuration (nginx -t)',
        stdin: whole.stdin,
        undo: 'resumable',
        ...conflictingNames(params),
      }),
      service('nginx', running.before.nginx === 'stopped' ? 'start' : 'reload'),
      waitFor(newWorkers.argv, { title: 'wait for new workers', stdin: newWorkers.stdin, within: '15s' }),
      run(record.argv, { title: 'record what they loaded', stdin: record.stdin, undo: 'resumable' }),
      enable,
    ]
  },
})

/** Of a loaded file that is to be changed. */
const asItWas = 'loaded as it was'

function pathsOf(running: Running, wanted: (value: string) => boolean): string[] {
  return Object.keys(running).filter(path => /^\/.*[^/]$/.test(path) && wanted(running[path] ?? ''))
}

/** The files that we saw to be loaded. None where a directory changed: a file may be gone from it that is loaded still. */
function knownLoaded(running: Running): string[] {
  if (Object.keys(running).some(path => path.endsWith('/'))) return []
  return pathsOf(running, value => value === 'loaded' || value === asItWas)
}

interface Layer<Current, Desired = Current> {
  readonly current: Current
  readonly desired: Desired
}
type Boot = { readonly 'nginx.service'?: string }
interface Layers {
  readonly running: Layer<Running | Unreadable, Running>
  readonly boot: Layer<Boot | Unreadable, Boot>
}

const isUnreadable = (state: Service | Unreadable): state is Unreadable => 'error' in state

/** Nothing is asked of what we could not see: the files are judged all the same. */
const unknown = (state: Unreadable): Layers => ({
  running: { current: state, desired: {} },
  boot: { current: state, desired: {} },
})

function layers(state: Service, config: Config, saved: Layer<readonly FileState[]>): Layers {
  const unit = state.unitFile
  // A unit that is static, an alias or generated starts by another's will.
  const wanted = ['disabled', 'enabled-runtime', ''].includes(unit) ? 'enabled' : unit
  return {
    running: runningWith(runningNow(state, config), config, saved),
    boot: { current: { 'nginx.service': unit }, desired: { 'nginx.service': wanted } },
  }
}

/** What runs now, and what must run once the files are as desired: a file that is to be changed is not loaded either. */
function runningWith(now: Running, { files }: Config, saved: Layer<readonly FileState[]>): Layer<Running> {
  const gone = 'loaded, but gone'
  const wanted = (path: string) => {
    if (path === 'nginx') return 'running'
    return now[path] === atStart ? atStart : now[path] === gone ? 'gone' : 'loaded'
  }
  const current: Record<string, string> = { ...now }
  const desired = Object.fromEntries(Object.keys(now).map(path => [path, wanted(path)]))
  saved.desired.forEach((file, index) => {
    if (inSync(saved.current[index], file)) return
    if (files.some(({ path }) => path === file.path) && now[file.path] === 'loaded') current[file.path] = asItWas
    current[file.path] ??= 'not loaded'
    desired[file.path] = file.content === null ? 'gone' : 'loaded'
  })
  return { current, desired }
}

/** nginx only warns of a name that two servers share, and serves one of them: for our names that is a failure. */
function conflictingNames({ sites }: Params): { refuse?: string } {
  const names = Object.values(sites).flatMap(site => site.server_name)
  if (names.length === 0) return {}
  const escaped = names.map(name => name.replace(/[.*]/g, '\\$&'))
  return { refuse: `conflicting server name "(${escaped.join('|')})"` }
}
