import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ConnectOptions } from '../core/connect-options.ts'
import type { DriftConfig } from '../core/drift-config.ts'
import { SakError } from '../core/errors.ts'
import { defineInventory, type Inventory, isInventory } from '../core/inventory.ts'
import type { PlanSource } from '../core/plan-file.ts'
import { mergeVars, type Playbook, type PlaybookFactory } from '../core/playbook.ts'
import type { RolloutOptions } from '../core/rollout.ts'
import { printable } from '../core/terminal.ts'
import { traced } from '../core/trace.ts'
import { durationMs } from '../core/units.ts'
import { type LoadedConfig, loadConfig } from '../loading/config.ts'
import { loadInventory } from '../loading/inventory.ts'
import { resolveLimit } from '../loading/limit.ts'
import { asPlaybook, loadPlaybook } from '../loading/playbook.ts'
import type { RunOptions } from '../run.ts'
import type { CliOptions } from './options.ts'
import { askSecret } from './questions.ts'
import { screen } from './screen.ts'
import { keepHeapSmall } from './v8.ts'

/** What a run needs, from the command line and the project's config, and where it came from. */
export interface CliRun {
  readonly options: RunOptions
  readonly source: PlanSource
  /** Tells the runs of this playbook from others'. */
  readonly playbook: string
  /** Tells the history of these hosts and this playbook from others. */
  readonly history: string
  readonly drift: DriftConfig
}

/** Loads all that the command line and the config name. Throws SakError before any host is touched. */
export async function runOptions(cli: CliOptions): Promise<CliRun> {
  const cwd = process.cwd()
  const loaded = await traced('load config', undefined, () => loadConfig(cwd))
  const playbook = await traced('load playbook', undefined, () => choosePlaybook(cli, loaded, cwd))
  const inventory = await traced('load inventory', undefined, () => chooseInventory(cli, loaded, cwd))
  const name = playbookName(cli, loaded, cwd)
  const limit = cli.limit === undefined ? undefined : await resolveLimit(cli.limit, { cwd, playbook: name, inventory })
  const vars = mergeVars(loaded?.config.vars ?? {}, cli.var ?? {})
  const forks = cli.forks ?? loaded?.config.forks
  const chosen = {
    ...(cli.tags && { tags: cli.tags }),
    ...(cli.skipTags && { skipTags: cli.skipTags }),
    ...(cli.allow && { allow: cli.allow }),
    ...(cli.allowOverBudget && { allowOverBudget: true }),
  }
  const options = {
    playbook,
    ...(inventory && { inventory: withLogin(inventory, cli) }),
    dryRun: cli.dryRun,
    vars,
    connect: await connectOptions(cli),
    ...(cli.lockWait && { lockWaitSeconds: durationMs(cli.lockWait) / 1000 }),
    ...chosen,
    ...(limit && { limit }),
    ...(loaded?.config.advice && { advice: loaded.config.advice }),
    ...(forks !== undefined && { forks }),
    ...rolloutOptions(cli, loaded?.config),
  }
  keepHeapSmall()
  const named = cli.playbook === undefined ? undefined : absolute(cli.playbook, cwd)
  const source = {
    vars: cli.var ?? {},
    ...chosen,
    ...(named !== undefined && { playbook: named }),
    ...(cli.inventory && { inventory: cli.inventory.map(each => absolute(each, cwd)) }),
    login: loginOf(cli, cwd),
  }
  return { options, source, playbook: name, history: keyOf(cli, loaded, cwd), drift: loaded?.config.drift ?? {} }
}

/** Tells the history of a playbook and its hosts from others: what the command line names, or the config. */
export async function historyKey(cli: Pick<CliOptions, 'playbook' | 'inventory'>): Promise<string> {
  const cwd = process.cwd()
  return keyOf(cli, await loadConfig(cwd), cwd)
}

function keyOf(cli: Pick<CliOptions, 'playbook' | 'inventory'>, loaded: LoadedConfig | undefined, cwd: string): string {
  const inventories = cli.inventory?.map(each => absolute(each, cwd)) ?? [loaded?.path ?? '']
  return [playbookName(cli, loaded, cwd), ...inventories].join('\n')
}

/** What a saved plan keeps of the login. */
function loginOf({ user, become, privateKey, jump, hostKeyChecking }: CliOptions, cwd: string): PlanSource['login'] {
  return {
    ...(user !== undefined && { user }),
    ...(become !== undefined && { become }),
    ...(privateKey !== undefined && { privateKey: absolute(privateKey, cwd) }),
    ...(jump !== undefined && { jump }),
    ...(hostKeyChecking && { hostKeyChecking }),
  }
}

/** The command line's URL is the health probe; of the config's there stays how long it is tried. */
function rolloutOptions(cli: CliOptions, config: RolloutOptions = {}): RolloutOptions {
  const serial = cli.serial ?? config.serial
  const maxFail = cli.maxFail ?? config.maxFail
  const within = config.health?.within
  const health = cli.health === undefined ? config.health : { url: cli.health, ...(within && { within }) }
  return {
    ...(serial !== undefined && { serial }),
    ...(maxFail !== undefined && { maxFail }),
    ...(health && { health }),
  }
}

/** A file by its whole path, so that it is found from elsewhere; any other name as it is. */
const absolute = (name: string, cwd: string) => (existsSync(resolve(cwd, name)) ? resolve(cwd, name) : name)

/** Tells a playbook from others, by its file or name. */
export function playbookName(
  { playbook }: Pick<CliOptions, 'playbook'>,
  loaded: LoadedConfig | undefined,
  cwd: string,
): string {
  if (playbook !== undefined) return absolute(playbook, cwd)
  const configured = loaded?.config.playbook
  if (loaded && typeof configured === 'string') return absolute(configured, loaded.folder)
  return loaded && configured !== undefined ? loaded.path : 't3-small'
}

/** The playbook that the command line names, else the config; undefined where neither does. */
export async function namedPlaybook(
  { playbook }: Pick<CliOptions, 'playbook'>,
  loaded: LoadedConfig | undefined,
  cwd: string,
): Promise<Playbook | PlaybookFactory | undefined> {
  if (playbook !== undefined) return loadPlaybook(playbook, cwd)
  const configured = loaded?.config.playbook
  if (loaded && typeof configured === 'string') return loadPlaybook(configured, loaded.folder)
  return loaded && configured !== undefined ? asPlaybook(configured, loaded.path) : undefined
}

async function choosePlaybook(
  cli: CliOptions,
  loaded: LoadedConfig | undefined,
  cwd: string,
): Promise<Playbook | PlaybookFactory> {
  const named = await namedPlaybook(cli, loaded, cwd)
  if (named) return named
  if (cli.dryRun) return loadPlaybook('t3-small', cwd)
  throw new SakError('usage', 'which playbook, and on which host? Nothing is changed unasked.', {
    hint: 'for example: sak-reconcile t3-small -i web1.example.com,   (this machine is -i localhost,; --dry-run only looks)',
  })
}

/** The inventory that the command line names, else the config; undefined where neither does. */
export async function chooseInventory(
  { inventory }: Pick<CliOptions, 'inventory'>,
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
export function withLogin(
  inventory: Inventory,
  { user, become, privateKey }: Pick<CliOptions, 'user' | 'become' | 'privateKey'>,
): Inventory {
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
    warn: message => screen.print(process.stderr, `warning: ${printable(message)}\n`),
  }
}
