import { blocked, type FileRead, type Host, type SakError } from 'sak-reconcile'

/** Where npm would fetch packages from. */
export interface Registry {
  readonly host: string
  readonly port: number
}

/** npm's own files of settings, the stronger first; the user's is added. */
export const npmrcPaths = ['/usr/etc/npmrc', '/etc/npmrc', '/usr/local/etc/npmrc']

/** What npm would connect to: the proxy if there is one, else the registry; undefined where it works from its cache alone. */
export function registryOf(npmrcs: readonly FileRead[]): Registry | undefined {
  const settings = npmrcs.map(({ content }) => parseNpmrc(content ?? ''))
  const setting = (name: string) => settings.find(each => each.has(name))?.get(name)
  if (setting('offline') === 'true') return undefined
  const registry = setting('registry') ?? 'https://registry.npmjs.org/'
  const proxy = setting(registry.startsWith('http:') ? 'proxy' : 'https-proxy') ?? setting('proxy')
  const url = URL.canParse(proxy ?? registry) ? new URL(proxy ?? registry) : new URL('https://registry.npmjs.org/')
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (url.protocol === 'http:' ? 80 : 443) }
}

/** `key = value` lines; `;` and `#` begin comments. */
export function parseNpmrc(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').flatMap(line => {
    const [, key, value] = /^\s*([^\s=;#[]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [[key, value.replace(/^(["'])(.*)\1$/, '$2')] as const]
  })
  return new Map(pairs)
}

// npm itself would write logs and a cache.
const probe = `const [host, port] = process.argv.slice(1)
const end = (code, said) => { if (said) console.log(said); process.exit(code) }
const socket = require('node:net').connect({ host, port: Number(port) }, () => end(0))
socket.setTimeout(8000, () => end(1, 'no answer in 8 s'))
socket.on('error', error => end(1, error.code || error.message))`

/** Why npm could not install anything on the host, if it could not. */
export async function unreachable(host: Host, registry: Registry, env: Record<string, string>): Promise<SakError[]> {
  const place = `${registry.host}:${registry.port}`
  const { code, stdout } = await host.command(['node', '-e', probe, registry.host, String(registry.port)], { env })
  if (code === 0) return []
  const why = code === 127 ? 'there is no node to install it with' : `${place} cannot be reached: ${stdout.trim()}`
  return [
    blocked(
      'unsupported',
      `pm2-logrotate is not installed, and ${why}`,
      'let the host reach a registry (`npm config set registry` or `https-proxy`), or leave this task out',
    ),
  ]
}
