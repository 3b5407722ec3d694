import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectOptions } from '../../src/core/connect-options.ts'
import type { Target } from '../../src/core/connection.ts'

const servers = [
  'main',
  'password',
  'questions',
  'nothing',
  'both',
  'fewtries',
  'onesession',
  'startups',
  'unforwarding',
  'oldkex',
  'chatty',
] as const
export type ServerName = (typeof servers)[number]

/** Real sshds and users to try connections on. Needs root, and Debian's openssh-server, sudo, fish and tcsh. */
export interface SshHosts {
  readonly directory: string
  readonly password: string
  readonly passphrase: string
  port(server: ServerName): number
  /** A target that logs in with the right key, unless told otherwise. */
  target(user: string, more?: Partial<Target>, server?: ServerName): Target
  /** Options that touch nothing of the person who runs the tests, and that know the host keys. */
  options(more?: Partial<ConnectOptions>): ConnectOptions
  /** The keys of all servers, as known_hosts has them. */
  knownHosts(): string
  /** Commands of processes within the hosts that fit. */
  processes(pattern: RegExp): string[]
  /** Runs a command within the hosts as root. */
  inside(...argv: string[]): string
  stop(): Promise<void>
}

export async function startSshHosts(): Promise<SshHosts> {
  const directory = mkdtempSync(join(tmpdir(), 'sak-ssh-'))
  const path = (name: string) => join(directory, name)
  execFileSync('chmod', ['755', directory])
  const password = 'correct horse $battery\'s "staple"'
  const passphrase = 'open sesame'
  writeFileSync(path('password'), password)
  const keygen = (name: string, type: string, secret = '') =>
    execFileSync('ssh-keygen', [
      '-q',
      '-t',
      type,
      ...(type === 'rsa' ? ['-b', '2048'] : []),
      '-N',
      secret,
      '-C',
      name,
      '-f',
      path(name),
    ])
  for (const type of ['ed25519', 'ecdsa', 'rsa']) keygen(`id_${type}`, type)
  keygen('id_locked', 'ed25519', passphrase)
  keygen('host_ed25519', 'ed25519')
  keygen('host_rsa', 'rsa')
  const free = await freePorts(servers.length)
  const port = (name: ServerName) => free[servers.indexOf(name)] ?? 0
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'bash',
      join(import.meta.dirname, 'ssh-hosts.sh'),
      directory,
      join(import.meta.dirname, '../..'),
      ...servers.map(name => `${name}=${port(name)}`),
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  await ready(child)
  const pid = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).trim()
  const hostKey = readFileSync(path('host_ed25519.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  const knownHosts = servers.map(name => `[127.0.0.1]:${port(name)} ${hostKey}\n`).join('')
  writeFileSync(path('known_hosts'), knownHosts)
  writeFileSync(
    path('config'),
    `UserKnownHostsFile ${path('known_hosts')}\nGlobalKnownHostsFile none\nIdentityAgent none\nIdentityFile none\n`,
  )
  const inside = (...argv: string[]) =>
    execFileSync('nsenter', ['--target', pid, '--mount', '--pid', ...argv], { encoding: 'utf8' })
  return {
    directory,
    password,
    passphrase,
    port,
    target: (user, more = {}, server = 'main') => ({
      name: server,
      address: '127.0.0.1',
      port: port(server),
      user,
      privateKeyPath: path('id_ed25519'),
      connection: 'ssh',
      become: false,
      ...more,
    }),
    options: (more = {}) => ({
      sshConfigPath: path('config'),
      home: directory,
      retries: 0,
      connectTimeoutMs: 5000,
      authTimeoutMs: 10_000,
      ...more,
    }),
    knownHosts: () => knownHosts,
    processes: pattern =>
      inside('ps', '-eo', 'args')
        .split('\n')
        .filter(line => pattern.test(line)),
    inside,
    stop: async () => {
      const gone = once(child, 'exit')
      child.stdin?.end()
      child.kill()
      await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function ready(child: ChildProcess): Promise<void> {
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(
      `the ssh hosts ended with ${code}: are openssh-server, sudo, fish and tcsh installed, and is this root?`,
    )
  })
  const said = child.stdout === null ? Promise.resolve() : once(child.stdout, 'data')
  await Promise.race([said, died])
  died.catch(() => {})
}

async function freePorts(count: number): Promise<number[]> {
  const listening = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = listening.map(server => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(listening.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
