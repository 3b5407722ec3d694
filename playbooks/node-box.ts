import { AbsolutePath, Duration, definePlaybook, SecretString, Size, UserName } from 'sak-reconcile'
import { logrotate, nginxconf, pgconf, pm2eco, pm2logrotate, swapfile, sysctl } from 'sak-reconcile/modules'
import { z } from 'zod'
import type { Sizing } from './size.ts'

// The section of the guide is named with each group. What depends on the size of the box comes from size.ts.

/** The defaults, with what is given laid over them. */
function withDefaults<T extends object>(given: T, defaults: NoInfer<Partial<T>>): T {
  return { ...defaults, ...given }
}

const App = z.strictObject({
  name: z.string().default('sak-whatsapp-api').describe("The app's name in PM2"),
  cwd: AbsolutePath.default('/var/www/sak-whatsapp-api').describe('Where its code is'),
  user: UserName.default('ubuntu').describe('Who runs it'),
  script: z.string().default('server.js').describe('What PM2 starts, relative to cwd'),
  port: z.int().min(1).max(65_535).default(5000).describe('Where it listens'),
})

/** Section 1. The guide asks for graceful shutdown and restart limits and gives no numbers: these are ours. */
const pm2Params = (sizing: Sizing['pm2']) =>
  z.strictObject({
    instances: z.int().min(1).default(sizing.instances).describe('Processes; a second one costs 400 to 500 MB'),
    max_memory_restart: Size.default(sizing.max_memory_restart).describe('PM2 restarts the app above this'),
    max_old_space_size: z
      .int()
      .min(64)
      .default(sizing.max_old_space_size)
      .describe("MiB: the cap of V8's heap, in NODE_OPTIONS"),
    kill_timeout: Duration.default('5s').describe('Time to end after SIGINT'),
    listen_timeout: Duration.default('10s').describe('Time to come up on a reload'),
    min_uptime: Duration.default('10s').describe('An app that ran for less did not start'),
    max_restarts: z.int().min(0).default(10).describe('Starts in a row that may fail before PM2 gives up'),
    env: z.record(z.string(), SecretString).default({}).describe('More environment for the app'),
    takeOver: z.boolean().default(false).describe('Replace what was set up by hand, see modules/pm2eco'),
  })

/** Section 4. */
const swapParams = (sizing: Sizing['swap']) =>
  z.strictObject({
    path: AbsolutePath.default('/swapfile').describe('The swap file'),
    size: Size.default(sizing.size).describe('As much as the RAM, at most 4 GiB'),
  })
const kernel = { 'vm.swappiness': 10, 'vm.vfs_cache_pressure': 50 } as const

/** Section 5. */
const http = {
  keepalive_timeout: 65,
  keepalive_requests: 100,
  client_body_buffer_size: '16K',
  client_header_buffer_size: '1k',
  client_max_body_size: '10m',
  large_client_header_buffers: '2 1k',
  gzip: true,
  gzip_min_length: 1024,
  gzip_types: 'text/plain text/css application/json',
} as const
/**
 * "Enable Nginx caching". The app decides what is kept and how long (Cache-Control, Expires): without `proxy_cache_valid` nginx keeps
 * nothing else. A request with a login neither gets nor leaves a kept answer, for the key does not tell one user from another.
 */
const cached = {
  proxy_cache_path: '/var/cache/nginx levels=1:2 keys_zone=api_cache:10m max_size=256m inactive=10m',
  proxy_cache: 'api_cache',
  proxy_cache_bypass: '$http_authorization $http_cookie',
  proxy_no_cache: '$http_authorization $http_cookie',
} as const

const HttpValue = z.union([z.string(), z.number(), z.boolean()])
const nginxParams = (sizing: Sizing['nginx']) =>
  z.strictObject({
    http: z
      .record(z.string(), z.union([HttpValue, z.array(HttpValue)]))
      .prefault({})
      .transform(given => withDefaults(given, http))
      .describe('Directives of http, as nginx spells them'),
    cache: z
      .boolean()
      .default(sizing.cache)
      .describe('Keep answers that the app allows to be kept, for requests without a login'),
    upstream: z.string().default('backend').describe("The name of the app's upstream"),
    keepalive: z.int().min(1).default(32).describe('Idle connections to the app that each worker keeps'),
    sites: nginxconf.params.shape.sites.describe('Small reverse-proxy sites, see modules/nginxconf'),
  })

/** Section 6. */
const Logs = z.strictObject({
  paths: z
    .array(z.string())
    .optional()
    .describe("The app's own logs, which logrotate rotates. Default: logs/*.log in its folder"),
  rotate: z.int().min(0).default(7).describe('How many old logs are kept'),
  frequency: z.enum(['hourly', 'daily', 'weekly']).default('daily').describe('How often'),
  compress: z.boolean().default(true).describe('gzip old logs'),
  pm2Logrotate: z
    .union([
      z.literal(false),
      z.strictObject({
        max_size: z.string().default('10M').describe('A log this big is rotated'),
        retain: z.int().default(7).describe('How many old logs are kept'),
      }),
    ])
    .prefault({})
    .describe('What PM2 itself rotates: what the app prints, in ~/.pm2/logs. false leaves it out'),
})

const paramsFor = (sizing: Sizing) =>
  z.strictObject({
    app: App.prefault({}).describe('The Node.js app'),
    pm2: pm2Params(sizing.pm2).prefault({}).describe('How PM2 runs it'),
    postgres: pgconf.params.shape.settings
      .prefault({})
      .transform(given => withDefaults(given, sizing.postgres))
      .describe("PostgreSQL's settings by their names"),
    swap: swapParams(sizing.swap).prefault({}).describe('The swap file'),
    sysctl: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .prefault({})
      .transform(given => withDefaults(given, kernel))
      .describe('Kernel parameters'),
    nginx: nginxParams(sizing.nginx).prefault({}).describe('nginx before the app'),
    logs: Logs.prefault({}).describe('Log rotation'),
    overrides: z
      .enum(['report', 'remove'])
      .default('report')
      .describe('What others set against us: name it and leave the task blocked, or remove it'),
  })

/** A box that runs a Node.js API under PM2 with PostgreSQL and nginx, as the guide sets it, for a size. */
export const nodeBox = (name: string, description: string, sizing: Sizing) =>
  definePlaybook({
    name,
    description,
    params: paramsFor(sizing),
    tasks: ({ app, pm2, postgres: settings, swap, sysctl: parameters, nginx, logs, overrides }) => [
      swapfile(swap, { tags: ['memory'] }),
      sysctl({ settings: parameters, overrides }, { tags: ['memory'] }),
      pgconf({ settings, overrides }, { tags: ['postgres'] }),
      pm2eco(ecosystem(app, pm2), { tags: ['app'] }),
      nginxconf(proxy(app, nginx, overrides), { tags: ['nginx'] }),
      logs.pm2Logrotate && pm2logrotate({ user: app.user, ...logs.pm2Logrotate }, { tags: ['logs'] }),
      logrotate({ stanzas: [stanza(app, logs)], overrides }, { tags: ['logs'] }),
    ],
  })

type Params = z.output<ReturnType<typeof paramsFor>>
type Group<Name extends keyof Params> = Params[Name]

function ecosystem({ name, cwd, user, script, port }: Group<'app'>, pm2: Group<'pm2'>) {
  const { max_old_space_size, env, takeOver, ...limits } = pm2
  const environment = {
    NODE_ENV: 'production',
    PORT: String(port),
    NODE_OPTIONS: `--max-old-space-size=${max_old_space_size}`,
    ...env,
  }
  return { user, takeOver, apps: [{ name, cwd, script, ...limits, env: environment }] }
}

function proxy({ port }: Group<'app'>, nginx: Group<'nginx'>, overrides: Group<'overrides'>) {
  const { upstream, keepalive, http: directives, cache, sites } = nginx
  return {
    http: cache ? { ...cached, ...directives } : directives,
    upstreams: { [upstream]: { servers: [`localhost:${port}`], keepalive } },
    sites,
    overrides,
  }
}

/** A Node.js app keeps its log open and is not told of a rotation: its log is copied and emptied where it stands. */
function stanza({ cwd }: Group<'app'>, { paths = [`${cwd}/logs/*.log`], rotate, frequency, compress }: Group<'logs'>) {
  return { paths, frequency, rotate, compress, copytruncate: true, missingok: true, notifempty: true }
}
