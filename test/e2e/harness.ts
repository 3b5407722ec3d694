/**
 * Real servers for end-to-end tests: starts the hosts of test/hosts (or takes those that are up already), and gives
 * each a plain ssh to arrange and assert with, so that a test never trusts the code it tests.
 *
 *   const { host, stop } = await startHost('full')      // in the stock state
 *   t.teardown(stop)
 *   await host.exec('cat /etc/fstab')
 *   await host.exec('swapon --show', { root: true })
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

const hostsScript = fileURLToPath(new URL('../hosts/hosts.sh', import.meta.url))

const describedHost = z.object({
  name: z.string(),
  tier: z.enum(['full', 'light']),
  /** stock: the app runs under PM2, started by hand; bare: PM2 is empty. */
  state: z.enum(['stock', 'bare']),
  address: z.string(),
  port: z.number(),
  /** The address of the host's port 80 as seen from here. */
  http: z.string(),
  user: z.string(),
  /** A second user, who must give sudo a password; the key is the same. */
  sudoPasswordUser: z.string(),
  sudoPassword: z.string(),
  privateKeyPath: z.string(),
  /** All hosts' keys, as strict host key checking wants them. */
  knownHosts: z.string(),
  hostKey: z.string(),
  directory: z.string(),
})
type Described = z.infer<typeof describedHost>

export type Tier = Described['tier']

export interface ExecOptions {
  root?: boolean
  /** Whose hands: any user of the host, through sudo. */
  as?: string
  stdin?: string
  /** Answer with the exit code instead of throwing. */
  mayFail?: boolean
  timeoutMs?: number
}

export interface ExecResult {
  code: number
  stdout: string
  stderr: string
}

export interface TestHost extends Omit<Described, 'knownHosts'> {
  knownHostsPath: string
  /** Runs a line of shell on the host. */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>
  /** The standard output of a command, without its last newline. */
  output(command: string, options?: ExecOptions): Promise<string>
  /** A real reboot; resolves when the host has booted. */
  reboot(): Promise<void>
  /** Ends a full host in mid-air: what was not synced is lost. Resolves when it has booted from what is left. */
  powercut(): Promise<void>
  /** Keeps a full host's memory and disk under a name. */
  snapshot(tag: string): Promise<void>
  /** Back to a snapshot, or to the stock state in which it was first given. */
  restore(tag?: string): Promise<void>
}

export interface TestHosts {
  hosts: TestHost[]
  /** Ends what was started for this test; hosts that were up before stay up. */
  stop(): Promise<void>
}

/** Hosts in the stock state. Those that are up already are put back to it, unless `restore` is false. */
export async function startHosts(wanted: { full?: number; light?: number; restore?: boolean }): Promise<TestHosts> {
  const before = new Set((await list()).map(described => described.name))
  if (wanted.full) await hostsCommand('up', String(wanted.full))
  if (wanted.light) await hostsCommand('up', '--light', String(wanted.light))
  const taken = (await list()).filter(({ name, tier }) => Number(name.slice(tier.length)) <= (wanted[tier] ?? 0))
  const hosts = taken.map(testHost)
  const reused = hosts.filter(host => before.has(host.name))
  if (wanted.restore !== false) await Promise.all(reused.map(host => host.restore()))
  const started = hosts.filter(host => !before.has(host.name)).map(host => host.name)
  return {
    hosts,
    async stop() {
      await Promise.all(hosts.map(disconnect))
      if (started.length > 0) await hostsCommand('down', ...started)
    },
  }
}

/** One host in the stock state. */
export async function startHost(tier: Tier): Promise<{ host: TestHost; stop: () => Promise<void> }> {
  const { hosts, stop } = await startHosts({ [tier]: 1 })
  const [host] = hosts
  if (!host) throw new Error(`hosts.sh gave no ${tier} host`)
  return { host, stop }
}

/** The inventory of hosts in its JSON form, with a group `servers` of all of them. */
export function inventoryOf(hosts: readonly TestHost[]) {
  return {
    hosts: Object.fromEntries(
      hosts.map(({ name, address, port, user, privateKeyPath }) => [
        name,
        { address, port, user, privateKeyPath, become: true, connection: 'ssh' as const, vars: {} },
      ]),
    ),
    groups: { servers: { hosts: hosts.map(({ name }) => name), children: [], vars: {} } },
  }
}

function testHost({ knownHosts, ...described }: Described): TestHost {
  const host: TestHost = {
    ...described,
    knownHostsPath: knownHosts,
    exec: (command, options) => exec(host, command, options),
    output: async (command, options) => (await exec(host, command, options)).stdout.replace(/\n$/, ''),
    reboot: () => withoutConnection(host, 'reboot'),
    powercut: () => withoutConnection(host, 'powercut'),
    snapshot: tag => withoutConnection(host, 'snapshot', tag),
    restore: (tag = 'stock') => withoutConnection(host, 'restore', tag),
  }
  return host
}

async function exec(host: TestHost, command: string, options: ExecOptions = {}): Promise<ExecResult> {
  await connect(host)
  const user = options.root ? 'root' : options.as
  const remote = user === undefined ? command : `sudo -n -H -u ${user} sh -c ${quote(command)}`
  const ssh = () => runSsh([...sshOptions(host), `${host.user}@${host.address}`, remote], options)
  let result = await ssh()
  // the shared connection broke before it took the command
  if (result.code === 255 && result.stderr.startsWith('mux_client_request_session:')) {
    await disconnect(host)
    rmSync(controlPath(host), { force: true })
    await connect(host)
    result = await ssh()
  }
  if (result.code !== 0 && !options.mayFail) {
    throw new Error(`${host.name}: exit code ${result.code} of: ${command}\n${result.stdout}${result.stderr}`)
  }
  return result
}

function sshOptions(host: TestHost): string[] {
  const options = {
    BatchMode: 'yes',
    ControlPath: controlPath(host),
    IdentitiesOnly: 'yes',
    LogLevel: 'ERROR',
    UserKnownHostsFile: host.knownHostsPath,
  }
  const pairs = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  return ['-F', 'none', '-i', host.privateKeyPath, '-p', String(host.port), ...pairs]
}

/** Opens the connection that all further commands share: a handshake with an emulated host takes a second or two. */
async function connect(host: TestHost): Promise<void> {
  if (existsSync(controlPath(host))) return
  // In the background it must hold none of our pipes, and it ends by itself should nobody end it.
  const keep = ['-M', '-f', '-N', '-o', 'ControlPersist=600', '-o', 'ServerAliveInterval=15']
  const child = spawn('ssh', [...keep, ...sshOptions(host), `${host.user}@${host.address}`], { stdio: 'ignore' })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`no ssh to ${host.name}`))))
  })
}

async function disconnect(host: TestHost): Promise<void> {
  if (!existsSync(controlPath(host))) return
  await runSsh(['-O', 'exit', ...sshOptions(host), host.address], {})
}

function controlPath(host: TestHost): string {
  return join(host.directory, `control.${process.pid}`)
}

function runSsh(args: string[], { stdin = '', timeoutMs = 120_000 }: ExecOptions): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', args, { timeout: timeoutMs })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    // A command that does not read its stdin may be gone before it is written.
    child.stdin.on('error', () => {})
    child.once('error', reject)
    // The shared connection holds our pipes for as long as the command runs on the host.
    child.once('exit', (_code, signal) => {
      if (signal === null) return
      child.stdout.destroy()
      child.stderr.destroy()
      reject(new Error(`ssh did not end within ${timeoutMs / 1000} s: ${args.at(-1)}`))
    })
    child.once('close', code => {
      resolve({ code: code ?? 255, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() })
    })
    child.stdin.end(stdin)
  })
}

/** Runs what breaks the host's connections: ours is ended first, else it would hang in wait of a host that is gone. */
async function withoutConnection(host: TestHost, command: string, ...args: string[]): Promise<void> {
  await disconnect(host)
  await hostsCommand(command, host.name, ...args)
}

async function list(): Promise<Described[]> {
  const lines = (await hostsCommand('list')).split('\n').filter(line => line !== '')
  return lines.map(line => describedHost.parse(JSON.parse(line)))
}

async function hostsCommand(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(hostsScript, args, { timeout: 900_000 })
  return stdout
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
