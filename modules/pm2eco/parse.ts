/** What a host says about users, sockets and PM2, read so that nothing it may say breaks us. */
import { SakError, unescapeSecrets } from 'sak-reconcile'
import { z } from 'zod'

/** What PM2 keeps about a process: its settings, and its variables laid over them. */
export type Pm2Env = Readonly<Record<string, unknown>>

/** A process of the PM2 daemon. */
export interface Pm2Process {
  readonly name: string
  readonly env: Pm2Env
}

const Listed = z.array(z.looseObject({ name: z.string(), pm2_env: z.record(z.string(), z.unknown()) }))
const Dumped = z.array(z.looseObject({ name: z.string() }))

/**
 * The processes of `pm2 jlist`, without PM2's own modules and without those on their way out in a reload. What PM2 measures of them
 * (axm_monitor) is another each second, and no plan would hold.
 */
export function parseJlist(stdout: string): readonly Pm2Process[] {
  // a banner or a warning about an older daemon may stand before the list, on lines of its own
  const lines = stdout.split('\n').filter(line => line.startsWith('['))
  for (const line of lines.reverse()) {
    const listed = Listed.safeParse(parseJson(line))
    if (!listed.success) continue
    return listed.data
      .filter(({ pm2_env: env }) => env.pmx_module !== true && typeof env.pm_id !== 'string')
      .map(({ name, pm2_env: { axm_monitor: _, ...env } }) => ({ name, env }))
  }
  throw new SakError('answer-broken', 'pm2 jlist did not print its list', { said: stdout.slice(0, 1000) })
}

/** The processes that `pm2 save` has kept for the next boot; undefined if the file cannot be read as such. */
export function parseDump(content: string): readonly Pm2Process[] | undefined {
  const dumped = Dumped.safeParse(parseJson(content))
  if (!dumped.success) return undefined
  return dumped.data.filter(env => env.pmx_module !== true).map(env => ({ name: env.name, env }))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(unescapeSecrets(text, 'json'))
  } catch {
    return undefined
  }
}

const trimSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path)

/** The paths of the Unix sockets on which something listens, from /proc/net/unix. */
export function parseListening(text: string): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const line of text.split('\n')) {
    const [, flags, path] =
      /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]{8}) [0-9A-F]+ [0-9A-F]+ +\d+ (\/.*)$/i.exec(line) ?? []
    // __SO_ACCEPTCON
    if (flags !== undefined && path !== undefined && (Number.parseInt(flags, 16) & 0x10000) !== 0) paths.add(path)
  }
  return paths
}

/** Whether Node would read a `.js` file beside this package.json as an ES module, which an ecosystem file is not. */
export function isModulePackage(packageJson: string): boolean {
  return z.looseObject({ type: z.literal('module') }).safeParse(parseJson(packageJson)).success
}

/** What a systemd unit says that decides which PM2 comes back at boot. */
export interface BootUnit {
  readonly user: string | undefined
  readonly pm2Home: string | undefined
  /** The program and arguments of ExecStart. */
  readonly start: readonly string[]
  /** `pm2 startup` wrote it, or we did. */
  readonly generated: boolean
}

export function parseUnit(content: string): BootUnit {
  const settings = content.split('\n').flatMap(line => {
    const [, key, value] = /^(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [{ key, value }]
  })
  const last = (key: string) => settings.findLast(setting => setting.key === key)?.value
  const assignments = settings.filter(({ key }) => key === 'Environment').flatMap(({ value }) => words(value))
  const home = assignments.findLast(word => word.startsWith('PM2_HOME='))?.slice('PM2_HOME='.length)
  return {
    user: last('User'),
    pm2Home: home === undefined ? undefined : trimSlash(home),
    start: words(last('ExecStart') ?? ''),
    generated: isOurs(content) || /^Documentation=https:\/\/pm2\.keymetrics\.io\/?\s*$/m.test(content),
  }
}

const words = (text: string): string[] => (text.match(/"[^"]*"|\S+/g) ?? []).map(word => word.replace(/^"|"$/g, ''))

/** Stands in the first lines of what we write, and says whose it is. */
export const header = 'Managed by sak-reconcile: changes made by hand are undone.'

/** Whether we wrote a file. */
export function isOurs(content: string): boolean {
  return content.slice(0, 500).includes(header)
}
