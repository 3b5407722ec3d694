import { writeFile } from 'node:fs/promises'
import type { ConnectOptions } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { defineInventory, type Inventory, isInventory } from '../core/inventory.ts'
import type { Playbook, PlaybookFactory } from '../core/playbook.ts'
import type { Report, RunEvent } from '../core/report.ts'
import { greatestImpact } from '../core/step.ts'
import { printable } from '../core/terminal.ts'
import { type LoadedConfig, loadConfig } from '../loading/config.ts'
import { loadInventory } from '../loading/inventory.ts'
import { asPlaybook, loadPlaybook } from '../loading/playbook.ts'
import { jsonReport } from '../reports/json.ts'
import { textReport } from '../reports/text.ts'
import { reconcile } from '../run.ts'
import { interruptible } from './interrupt.ts'
import type { CliOptions } from './options.ts'
import { askSecret, confirm } from './questions.ts'

/** The default command: plan, ask, apply, verify; with --dry-run only plan. Answers the exit code. */
export async function runCommand(options: CliOptions): Promise<number> {
  const cwd = process.cwd()
  const loaded = await loadConfig(cwd)
  const playbook = await choosePlaybook(options, loaded, cwd)
  const inventory = await chooseInventory(options, loaded, cwd)
  const { dryRun, yes } = options
  if (!dryRun && !yes && !process.stdin.isTTY) {
    throw new SakError('usage', 'there is no terminal to ask on before anything is changed', {
      hint: 'look first with --dry-run, then apply with --yes',
    })
  }
  const report = reportTo(options)
  const forks = options.forks ?? loaded?.config.forks
  const vars = { ...loaded?.config.vars, ...options.var }
  const connect = await connectOptions(options)
  return interruptible(async signal => {
    const { exitCode } = await reconcile({
      playbook,
      ...(inventory && { inventory: withLogin(inventory, options) }),
      dryRun,
      vars,
      connect: { ...connect, signal },
      signal,
      onEvent: report.onEvent,
      ...(options.limit !== undefined && { limit: options.limit }),
      ...(options.tags && { tags: options.tags }),
      ...(options.skipTags && { skipTags: options.skipTags }),
      ...(forks !== undefined && { forks }),
      ...(options.allow && { allow: options.allow }),
      ...(!dryRun && !yes && { confirm: plan => confirm(question(plan)) }),
    })
    await report.finish()
    return exitCode
  })
}

async function choosePlaybook(
  { playbook, dryRun }: CliOptions,
  loaded: LoadedConfig | undefined,
  cwd: string,
): Promise<Playbook | PlaybookFactory> {
  if (playbook !== undefined) return loadPlaybook(playbook, cwd)
  const configured = loaded?.config.playbook
  if (loaded && typeof configured === 'string') return loadPlaybook(configured, loaded.folder)
  if (loaded && configured !== undefined) return asPlaybook(configured, loaded.path)
  if (dryRun) return loadPlaybook('t3-small', cwd)
  throw new SakError('usage', 'which playbook, and on which host? Nothing is changed unasked.', {
    hint: 'for example: sak-reconcile t3-small -i web1.example.com,   (this machine is -i localhost,; --dry-run only looks)',
  })
}

async function chooseInventory(
  { inventory }: CliOptions,
  loaded: LoadedConfig | undefined,
  cwd: string,
): Promise<Inventory | undefined> {
  if (inventory) return loadInventory(inventory, cwd)
  const configured = loaded?.config.inventory
  if (!loaded || configured === undefined) return undefined
  if (typeof configured === 'string') return loadInventory([configured], loaded.folder)
  if (isSources(configured)) return loadInventory(configured, loaded.folder)
  return isInventory(configured) ? configured : defineInventory(configured)
}

const isSources = (value: unknown): value is readonly string[] => Array.isArray(value)

/** The login that the command line gives, for all hosts that have none of their own. */
function withLogin(inventory: Inventory, { user, become, privateKey }: CliOptions): Inventory {
  const hosts = [...inventory.hosts].map(([name, host]) => {
    const login = {
      ...(user !== undefined && { user }),
      ...(privateKey !== undefined && { privateKeyPath: privateKey }),
    }
    return [name, { ...login, ...host, become: host.become || become === true }] as const
  })
  return { ...inventory, hosts: new Map(hosts) }
}

async function connectOptions(options: CliOptions): Promise<ConnectOptions> {
  const password = options.askBecomePass ? await askSecret('sudo password: ') : undefined
  return {
    ...(options.hostKeyChecking && { hostKeyChecking: options.hostKeyChecking }),
    ...(options.jump !== undefined && { jump: options.jump }),
    ...(password !== undefined && { becomePassword: async () => password }),
    passphrase: async keyPath => (process.stdin.isTTY ? askSecret(`passphrase of ${keyPath}: `) : undefined),
    warn: message => void process.stderr.write(`warning: ${printable(message)}\n`),
  }
}

/** The report, to where the options say: lines as they come on stdout, or a file once all are there. */
function reportTo({ format, output, quiet, verbose, color }: CliOptions) {
  const parts: string[] = []
  const write = (text: string) => {
    if (output === undefined) process.stdout.write(text)
    else parts.push(text)
  }
  const useColor = color && output === undefined && wantsColor()
  const onEvent: (event: RunEvent) => void =
    format === 'json' ? jsonReport(write) : textReport({ color: useColor, quiet, verbose, write })
  const finish = async () => {
    if (output !== undefined) await writeFile(output, parts.join(''))
  }
  return { onEvent, finish }
}

function wantsColor(): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR) return false
  if (FORCE_COLOR && FORCE_COLOR !== '0') return true
  return process.stdout.isTTY === true && TERM !== 'dumb'
}

/** What a person agrees to: how much, and the worst of it. */
function question(plan: Report): string {
  const tasks = plan.hosts.flatMap(host =>
    host.tasks.filter(task => task.status === 'drift' || task.status === 'deferred'),
  )
  const hosts = plan.hosts.filter(host => host.tasks.some(task => tasks.includes(task))).length
  const worst = greatestImpact(tasks)
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`
  return `Apply ${count(tasks.length, 'task')} on ${count(hosts, 'host')}, at most with impact "${worst}"?`
}
