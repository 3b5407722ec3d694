import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The port of the hosts' sshd: bench/run.ts runs in a network of its own. */
export const sshPort = 2222

/** Most addresses that an sshd listens on. */
const hostsOfSshd = 16

export interface BenchHost {
  readonly name: string
  /** One of this machine's loopback addresses, a different one for each. */
  readonly address: string
  readonly user: string
}

/** What is on the hosts: the ten files in sync, or all of them differing. */
export type State = 'sync' | 'drift'

export interface BenchHosts {
  /** Where the keys are and known_hosts is; also the home directory of whoever goes to the hosts. */
  readonly directory: string
  readonly key: string
  readonly all: readonly BenchHost[]
  /** Puts the first hosts back to a state, as if nothing had ever run there. */
  reset(state: State, count: number): void
  /** Those of the first hosts that are not in a state: contents, owners and modes. */
  othersThan(state: State, count: number): readonly string[]
  stop(): Promise<void>
}

/** Starts hosts that are accounts of a few sshd, on addresses of their own. Needs root on Debian with openssh-server. */
export async function startBenchHosts(count: number): Promise<BenchHosts> {
  const directory = mkdtempSync(join(tmpdir(), 'sak-bench-'))
  const path = (name: string) => join(directory, name)
  execFileSync('chmod', ['755', directory])
  for (const name of ['id_ed25519', 'host_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path(name)])
  }
  const hostKey = readFileSync(path('host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  mkdirSync(path('.ssh'))
  writeFileSync(path('.ssh/known_hosts'), `[127.*]:* ${hostKey}\n`)
  const script = fileURLToPath(new URL('hosts.sh', import.meta.url))
  const apart = ['--mount', '--pid', '--fork', '--kill-child']
  const numbers = [sshPort, count, hostsOfSshd].map(String)
  const child = spawn('unshare', [...apart, 'bash', script, directory, ...numbers], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await ready(child)
  const pid = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).trim()
  const onHosts = (script: string, state: State, some: number) =>
    execFileSync('nsenter', ['-t', pid, '-m', '-p', 'bash', path(script), state, String(some)], { encoding: 'utf8' })
  return {
    directory,
    key: path('id_ed25519'),
    all: Array.from({ length: count }, (_, index) => {
      const number = index + 1
      return { name: `host${number}`, address: `127.1.${number >> 8}.${number & 255}`, user: `host${number}` }
    }),
    reset: (state, some) => void onHosts('reset.sh', state, some),
    othersThan: (state, some) => onHosts('others.sh', state, some).split('\n').filter(Boolean),
    stop: async () => {
      const gone = once(child, 'exit')
      child.stdin?.end()
      await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function ready(child: ChildProcess): Promise<void> {
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the hosts ended with ${code}: is openssh-server installed, and is this root?`)
  })
  died.catch(() => {})
  await Promise.race([child.stdout ? once(child.stdout, 'data') : Promise.resolve(), died])
}
