/** What PM2 keeps and says about its modules, read so that nothing it may say breaks us. */
import { SakError } from 'sak-reconcile'
import { z } from 'zod'
import type { Settings } from './params.ts'

export const moduleName = 'pm2-logrotate'
/** Under which PM2 keeps the modules that it starts. */
const installed = 'module-db-v2'

export const Json = z.record(z.string(), z.unknown())
export type Json = z.output<typeof Json>

/** The text of module_conf.json as an object, empty where it is; undefined if PM2 could not read it either. */
export function parseConf(text: string | null): Json | undefined {
  if (text === null || text.trim() === '') return {}
  const parsed = Json.safeParse(fromJson(text))
  return parsed.success ? parsed.data : undefined
}

/** Whether PM2 starts the module along with itself. */
export function isInstalled(conf: Json): boolean {
  return moduleName in objectOf(conf[installed])
}

/** The module's settings as strings. */
export function settingsOf(value: unknown): Settings {
  const pairs = Object.entries(objectOf(value)).filter(([, each]) =>
    ['string', 'number', 'boolean'].includes(typeof each),
  )
  return Object.fromEntries(pairs.map(([name, each]) => [name, String(each)]))
}

/** module_conf.json with the settings in it, in PM2's own layout; all else stays. The same text where nothing differs. */
export function withSettings(text: string | null, conf: Json, settings: Settings): string {
  const current = objectOf(conf[moduleName])
  const known = settingsOf(current)
  const differing = Object.entries(settings).filter(([name, value]) => !sameSetting(name, known[name], value))
  if (text !== null && differing.length === 0) return text
  return JSON.stringify({ ...conf, [moduleName]: { ...current, ...Object.fromEntries(differing) } }, null, 4)
}

/** Whether two values of a setting mean the same: `10M` is `10240K`. */
export function sameSetting(name: string, a: string | undefined, b: string): boolean {
  if (a === b) return true
  return a !== undefined && name === 'max_size' && bytesOf(a) === bytesOf(b)
}

const factors: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, '': 1 }

function bytesOf(size: string): number | string {
  const [, amount, unit = ''] = /^(\d+)([KMG]?)$/.exec(size) ?? []
  return amount === undefined ? size : Number(amount) * (factors[unit] ?? 1)
}

/** A process of PM2. */
export interface Pm2Process {
  readonly name: string
  readonly module: boolean
  readonly status: string
  /** What the process was started with, where it is our module. */
  readonly settings: Settings
  readonly logs: readonly string[]
}

const Listed = z.array(z.looseObject({ name: z.string(), pm2_env: Json }))
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The processes of `pm2 jlist`. */
export function parseJlist(stdout: string): readonly Pm2Process[] {
  // a banner or a warning about an older daemon may stand before the list, on lines of its own
  for (const line of stdout.split('\n').reverse()) {
    const listed = line.startsWith('[') ? Listed.safeParse(fromJson(line)) : undefined
    if (!listed?.success) continue
    return listed.data.map(({ name, pm2_env: env }) => ({
      name,
      module: env.pmx_module === true,
      status: text(env.status) || 'unknown',
      settings: settingsOf(fromJson(text(env[moduleName]))),
      logs: [text(env.pm_out_log_path), text(env.pm_err_log_path)].filter(path => path !== ''),
    }))
  }
  throw new SakError('answer-broken', 'pm2 jlist did not print its list', { said: stdout.slice(0, 1000) })
}

/** The version that a package.json states. */
export function parseVersion(packageJson: string | null): string | undefined {
  const parsed = z.looseObject({ version: z.string() }).safeParse(fromJson(packageJson ?? ''))
  return parsed.success ? parsed.data.version : undefined
}

/** Whether something listens on a Unix socket, from /proc/net/unix. */
export function isListening(sockets: string, paths: readonly string[]): boolean {
  return sockets.split('\n').some(line => {
    const [, flags = '0', path] = /^[0-9a-f]+: \w+ \w+ ([0-9A-F]{8}) \w+ \w+ +\d+ (\/.*)$/i.exec(line) ?? []
    // __SO_ACCEPTCON
    return path !== undefined && paths.includes(path) && (Number.parseInt(flags, 16) & 0x10000) !== 0
  })
}

function objectOf(value: unknown): Json {
  const parsed = Json.safeParse(value)
  return parsed.success ? parsed.data : {}
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
