import { posix } from 'node:path'
import { AbsolutePath, Duration, durationMs, FileMode, orSecret, Size, sizeBytes, UserName } from 'sak-reconcile'
import { z } from 'zod'
import { pm2Keys } from './fields.ts'

/** Milliseconds as PM2 writes them (`5000`), or a duration (`'5s'`). Comes out as milliseconds. */
const Milliseconds = z
  .union([z.number().int().min(0), Duration.transform(duration => Math.round(durationMs(duration)))], {
    error: 'expected milliseconds such as 5000, or a duration such as "5s"',
  })
  .meta({ title: 'milliseconds | duration' })

/** PM2 takes whole numbers of K, M or G only. */
const Memory = Size.transform((size): Size => {
  return /^\d+[KMG]$/.test(size) ? size : `${Math.floor(sizeBytes(size) / 1024)}K`
})

const Text = z
  .string()
  .min(1)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .regex(/^[^\x00-\x1f\x7f]*$/, { error: 'expected text on one line, without control characters' })

const Words = z.union([z.array(Text), Text.transform(text => text.trim().split(/\s+/))], {
  error: 'expected a list of arguments such as ["--no-warnings"], or one string with blanks between them',
})

/** PM2 takes a number for an id, `all` for everything, and what looks like a file for a file. */
const AppName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, {
    error: 'expected a name such as "shop-api": a letter, then letters, digits, "_", "." or "-"',
  })
  .refine(name => !['all', 'unit', 'daemon'].includes(name) && !/\.(json|ya?ml|js|cjs|mjs|ts)($|\.)/.test(name), {
    error: 'this name means something else to PM2 or to us: choose another',
  })

const EnvName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected the name of an environment variable such as "NODE_ENV"' })
  .refine(name => !pm2Keys.has(name), {
    error: 'PM2 keeps a setting of its own under this name, which the variable would overwrite',
  })

const EnvValue = z
  .union([orSecret(z.string().regex(/^[^\0]*$/, { error: 'no NUL characters' })), z.number(), z.boolean()])
  .transform(String)

const Cron = z.string().regex(/^[\w*,/?#L -]{5,100}$/, { error: 'expected a cron pattern such as "0 3 * * *"' })

const instancesExpected = { error: 'expected a number of instances from 1 to 128, or "max" for one per processor' }

const HealthCheck = z.strictObject({
  url: z
    .url({ protocol: /^http$/, error: 'expected a URL such as "http://127.0.0.1:5000/health"' })
    .describe('Asked on the host itself'),
  status: z.number().int().min(100).max(599).optional().describe('The status it must answer. Default: any below 400'),
  within: Milliseconds.default(30_000).describe('How long it may take to answer so, once the app is up'),
})

const App = z
  .strictObject({
    name: AppName.describe('The name in `pm2 list`'),
    script: Text.describe('What runs: relative to cwd, absolute, or a program on the PATH such as npm'),
    cwd: AbsolutePath.transform(path => posix.resolve(path)).describe('Where it runs'),
    args: Words.optional().describe("The script's arguments"),
    interpreter: Text.optional().describe('What runs the script. Default: node for .js, as PM2 decides'),
    node_args: Words.optional().describe("Node's own arguments"),
    instances: z
      .union(
        [z.number().int().min(1, instancesExpected).max(128, instancesExpected), z.literal('max')],
        instancesExpected,
      )
      .default(1)
      .describe('How many processes; "max" is one per processor'),
    exec_mode: z.enum(['fork', 'cluster']).default('fork').describe('cluster shares one port between instances'),
    namespace: AppName.default('default').describe("PM2's namespace"),
    max_memory_restart: Memory.optional().describe('Restarted when it uses more; PM2 looks every 30 s'),
    env: z.record(EnvName, EnvValue).default({}).describe('Its environment: these variables and no others'),
    kill_timeout: Milliseconds.optional().describe('From SIGINT to SIGKILL. PM2: 1600'),
    wait_ready: z.boolean().default(false).describe("Up only when it has called process.send('ready')"),
    listen_timeout: Milliseconds.optional().describe('How long a reload waits for "listening" or "ready". PM2: 3000'),
    shutdown_with_message: z.boolean().default(false).describe("Stopped by process.send('shutdown'), not SIGINT"),
    min_uptime: Milliseconds.refine(ms => ms >= 100, { error: 'PM2 takes 100 ms or more' })
      .optional()
      .describe('Up that long counts as started. PM2: 1000'),
    max_restarts: z.number().int().min(0).optional().describe('Restarts in a row before it is given up. PM2: 16'),
    restart_delay: Milliseconds.default(0).describe('Wait before a crashed app is started again'),
    exp_backoff_restart_delay: Milliseconds.default(0).describe('The same, growing with each crash'),
    autorestart: z.boolean().default(true).describe('Started again when it exits'),
    cron_restart: Cron.optional().describe('Restarted at these times'),
    watch: z.boolean().default(false).describe('Restarted when a file changes: for development'),
    out_file: AbsolutePath.optional().describe('Standard output. PM2: ~/.pm2/logs/NAME-out.log'),
    error_file: AbsolutePath.optional().describe('Standard error. PM2: ~/.pm2/logs/NAME-error.log'),
    merge_logs: z
      .boolean()
      .default(true)
      .describe('true: out_file is the very name of the log; false puts an id into it, out-0.log'),
    log_date_format: Text.optional().describe('A time before each line of the logs, such as "YYYY-MM-DD HH:mm:ss"'),
  })
  .refine(app => !Object.hasOwn(app.env, app.name), {
    path: ['env'],
    error: "PM2 sets a variable of the app's own name itself: take another",
  })
  .refine(app => app.exec_mode === 'fork' || app.env.NODE_OPTIONS === undefined, {
    path: ['env', 'NODE_OPTIONS'],
    error: "has no effect in cluster mode (the worker's Node is running before it is set): use node_args",
  })
  .refine(app => app.exec_mode === 'fork' || app.interpreter === undefined, {
    path: ['interpreter'],
    error: "has no effect in cluster mode, whose workers run on the PM2 daemon's own Node: leave it out",
  })
  .refine(app => app.restart_delay === 0 || app.exp_backoff_restart_delay === 0, {
    path: ['exp_backoff_restart_delay'],
    error: 'excludes restart_delay: keep one of the two',
  })

const EcosystemPath = AbsolutePath.transform(path => posix.resolve(path)).refine(
  path =>
    /^[^/]*\.(config\.c?js|json)$/.test(posix.basename(path)) && !/\.(json|ya?ml|config\.)/.test(posix.dirname(path)),
  { error: 'expected a path that ends with ".config.js", ".config.cjs" or ".json": PM2 knows no other' },
)

export const Params = z
  .strictObject({
    user: UserName.default('ubuntu').describe('Whose PM2 it is. Never root unless you say so'),
    apps: z
      .array(App)
      .min(1, { error: 'expected at least one app' })
      .refine(apps => new Set(apps.map(app => app.name)).size === apps.length, { error: 'two apps have the same name' })
      .describe("The ecosystem's apps, under PM2's own names"),
    path: EcosystemPath.optional().describe(
      "The ecosystem file: .config.js, .config.cjs or .json. Default: ecosystem.config.js in the first app's cwd",
    ),
    mode: FileMode.default('0640').describe(
      'Mode of the ecosystem file, which belongs to the user, for it may hold passwords',
    ),
    pm2Home: AbsolutePath.optional().describe("PM2's own directory. Default: .pm2 in the user's home"),
    pm2: AbsolutePath.optional().describe(
      "The pm2 program. Default: the one that the boot unit starts, else nvm's default or newest (fnm, asdf, mise, Volta, ~/.npm-global too), else the system's",
    ),
    unlisted: z
      .enum(['keep', 'stop'])
      .default('keep')
      .describe(
        'Apps of this PM2 that are not listed here: "stop" stops them; they stay in its list. Its modules are left alone',
      ),
    takeOver: z
      .boolean()
      .default(false)
      .describe('Consent to replace what was set up by hand: the file, its boot unit, variables of a running app'),
    health: z
      .record(AppName, HealthCheck)
      .default({})
      .describe('By app: an HTTP request that must succeed after each reload, or everything is put back'),
  })
  .transform(params => ({ ...params, path: params.path ?? `${params.apps[0]?.cwd}/ecosystem.config.js` }))
  .superRefine(({ health, apps }, context) => {
    for (const name of Object.keys(health)) {
      if (!apps.some(app => app.name === name)) {
        context.addIssue({ code: 'custom', path: ['health', name], message: 'there is no such app in apps' })
      }
    }
  })

export type Params = z.output<typeof Params>
export type App = Params['apps'][number]
