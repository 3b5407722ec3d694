import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ConnectOptions, HostKeyChecking } from '../core/connect-options.ts'
import { SakError } from '../core/errors.ts'
import { localUser } from '../core/local-user.ts'
import type { Directives } from './ssh-config.ts'

/** One server on the way to a host, with all that is known about logging in to it. */
export interface Hop {
  /** As a person named it. */
  readonly name: string
  readonly address: string
  readonly port: number
  readonly user: string
  /** The key of the inventory, tried before all others. */
  readonly privateKeyPath: string | undefined
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  /** The agent's socket. */
  readonly agent: string | undefined
  /** What its host key is filed under, where that is not its address. */
  readonly hostKeyAlias: string | undefined
  readonly hostKeyChecking: HostKeyChecking
  readonly userKnownHosts: readonly string[]
  readonly globalKnownHosts: readonly string[]
  readonly hashKnownHosts: boolean
  readonly connectTimeoutMs: number
  readonly authTimeoutMs: number
  readonly keepaliveMs: number
  readonly keepaliveCount: number
}

/** What was asked for, before any configuration. */
export interface Asked {
  readonly name: string
  readonly port: number | undefined
  readonly user: string | undefined
  readonly privateKeyPath: string | undefined
}

const defaultKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/** A server from what was asked, then what ~/.ssh/config says, then ssh's own defaults. */
export function toHop(asked: Asked, directives: Directives, options: ConnectOptions, home: string): Hop {
  const first = (keyword: string) => directives.get(keyword)?.[0]
  const local = localUser().username
  const port = asked.port ?? Number(first('port') ?? 22)
  const user = asked.user ?? first('user') ?? local
  const address = (first('hostname') ?? asked.name)
    .replace(/%([%h])/g, (_, token) => (token === 'h' ? asked.name : '%'))
    .toLowerCase()
  const alias = first('hostkeyalias')
  const tokens = { h: address, n: asked.name, p: String(port), r: user, u: local, d: home, k: alias ?? asked.name }
  const path = (value: string) => expandPath(value, tokens, home)
  const paths = (keyword: string) =>
    directives
      .get(keyword)
      ?.filter(value => value !== 'none')
      .map(path)
  return {
    name: asked.name,
    address,
    port,
    user,
    privateKeyPath: asked.privateKeyPath === undefined ? undefined : path(asked.privateKeyPath),
    identityFiles: paths('identityfile') ?? defaultKeys.map(name => join(home, '.ssh', name)),
    identitiesOnly: isYes(first('identitiesonly')),
    agent: agentSocket(first('identityagent'), path),
    hostKeyAlias: alias,
    hostKeyChecking: options.hostKeyChecking ?? checking(first('stricthostkeychecking')),
    userKnownHosts:
      paths('userknownhostsfile') ?? ['known_hosts', 'known_hosts2'].map(name => join(home, '.ssh', name)),
    globalKnownHosts: paths('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
    hashKnownHosts: isYes(first('hashknownhosts')),
    connectTimeoutMs: options.connectTimeoutMs ?? (milliseconds(first('connecttimeout')) || 15_000),
    authTimeoutMs: options.authTimeoutMs ?? 30_000,
    keepaliveMs: milliseconds(first('serveraliveinterval')) || 15_000,
    keepaliveCount: Number(first('serveralivecountmax') ?? 3),
  }
}

/** The jump hosts that the configuration wants; whichever of ProxyJump and ProxyCommand comes first counts. */
export function proxyJump(directives: Directives, name: string): string | undefined {
  for (const [keyword, [value]] of directives) {
    if (keyword === 'proxyjump') return value
    if (keyword !== 'proxycommand') continue
    if (value?.toLowerCase() === 'none') return undefined
    throw new SakError('unsupported', `~/.ssh/config wants a ProxyCommand for ${name}`, {
      hint: 'only ProxyJump is supported: replace it by ProxyJump, or pass -J (--jump)',
    })
  }
  return undefined
}

function isYes(value: string | undefined): boolean {
  return /^(yes|true)$/i.test(value ?? '')
}

function checking(value: string | undefined): HostKeyChecking {
  if (/^accept-new$/i.test(value ?? '')) return 'accept-new'
  return /^(no|off|false)$/i.test(value ?? '') ? 'off' : 'strict'
}

/** ssh's times: `90`, `1m30s`, `2h`; `none` and nothing are undefined. */
function milliseconds(value: string | undefined): number | undefined {
  if (value === undefined || !/^(\d+[smhdw]?)+$/i.test(value)) return undefined
  const seconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
  const parts = [...value.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (seconds[unit || 's'] ?? 1) * 1000, 0)
}

function agentSocket(value: string | undefined, path: (value: string) => string): string | undefined {
  const fromEnvironment = process.env.SSH_AUTH_SOCK || undefined
  if (value === undefined || value === 'SSH_AUTH_SOCK') return fromEnvironment
  if (value.toLowerCase() === 'none') return undefined
  return value.startsWith('$') && !value.startsWith('${') ? process.env[value.slice(1)] : path(value)
}

/** `~`, `%` tokens and `${VARIABLE}` of a path. A token that is not known stays as it is. */
function expandPath(value: string, tokens: Readonly<Record<string, string>>, home: string): string {
  const local: Record<string, string> = {
    '%': '%',
    l: hostname(),
    L: hostname().split('.')[0] ?? '',
    i: String(process.getuid?.() ?? 0),
  }
  return value
    .replace(/^~(?=\/|$)/, home)
    .replace(/\$\{(\w+)\}/g, (whole, name) => process.env[name] ?? whole)
    .replace(/%(.)/g, (whole, token) => tokens[token] ?? local[token] ?? whole)
}
