import { basename } from 'node:path'
import { sshLogin } from '../connections/ssh-login.ts'
import { selectHosts } from '../core/host-pattern.ts'
import { explainHost, type Inventory, type InventoryHost } from '../core/inventory.ts'
import { isPlaybookFactory, mergeVars, type Playbook } from '../core/playbook.ts'
import {
  connectionOrigins,
  type HostOrigins,
  outsideLayers,
  paramOrigins,
  variableOrigins,
} from '../core/provenance.ts'
import { inventoryFor } from '../jobs.ts'
import { type LoadedConfig, loadConfig } from '../loading/config.ts'
import { resolveLimit } from '../loading/limit.ts'
import { hostPage, inventoryTree } from '../reports/text-inventory.ts'
import type { InventoryOptions } from './options.ts'
import { wantsColor } from './report-output.ts'
import { chooseInventory, namedPlaybook, playbookName, withLogin } from './run-options.ts'
import { screen } from './screen.ts'

/** `inventory`: the hosts and groups, or where all that is known of one host comes from. Reaches no host. */
export async function inventoryCommand(cli: InventoryOptions): Promise<void> {
  const cwd = process.cwd()
  const loaded = await loadConfig(cwd)
  const chosen = await chooseInventory(cli, loaded, cwd)
  const inventory = inventoryFor({ dryRun: true, ...(chosen && { inventory: chosen }) })
  const color = wantsColor(cli, process.stdout)
  if (cli.host !== undefined) {
    const origins = await originsOf(cli.host, inventory, cli, loaded)
    print(cli.json ? asJson(origins) : hostPage(origins, color))
    return
  }
  const sources = { cwd, playbook: playbookName(cli, loaded, cwd), inventory }
  const limit = cli.limit === undefined ? undefined : await resolveLimit(cli.limit, sources)
  const shown = limit && new Set(selectHosts(inventory, limit, '--limit').map(({ name }) => name))
  const known = withLogin(inventory, cli)
  print(cli.json ? asJson(treeOf(known, shown)) : inventoryTree(known, color, shown))
}

async function originsOf(
  name: string,
  inventory: Inventory,
  cli: InventoryOptions,
  loaded: LoadedConfig | undefined,
): Promise<HostOrigins> {
  const origins = explainHost(inventory, name)
  const [host] = selectHosts(withLogin(inventory, cli), [name])
  if (!host) throw new TypeError(`${name} is explained and not there`)
  const connect = cli.jump === undefined ? {} : { jump: cli.jump }
  const ssh = host.connection === 'ssh' ? await sshLogin(host, connect) : undefined
  const layers = outsideLayers(host, origins, [
    { from: loaded ? basename(loaded.path) : 'config', values: loaded?.config.vars ?? {} },
    { from: 'command line', values: cli.var ?? {} },
  ])
  const named = await namedPlaybook(cli, loaded, process.cwd())
  const playbook = named && (isPlaybookFactory(named) ? named() : named)
  const vars = mergeVars(loaded?.config.vars ?? {}, cli.var ?? {})
  return {
    host: name,
    groups: host.groups,
    connection: connectionOrigins(host, origins, cli, ssh),
    variables: variableOrigins(host, origins),
    ...(playbook && {
      playbooks: resolvedParams(playbook, host, inventory, vars).map(resolved => {
        return { name: resolved.playbook, params: paramOrigins(resolved, layers) }
      }),
    }),
  }
}

/** The params that a run would have for the host; none where the playbook is for others. Throws what a run would. */
function resolvedParams(playbook: Playbook, host: InventoryHost, inventory: Inventory, commandLine: Playbook['given']) {
  const isFor = (pattern: string) => selectHosts(inventory, pattern).some(({ name }) => name === host.name)
  if (!isFor(playbook.hosts)) return []
  playbook.tasksFor(host, commandLine, isFor)
  return playbook.expand({ host, commandLine, isFor }).params
}

/** Hosts and groups for machines; passwords and variables are left out. */
function treeOf({ groups, hosts }: Inventory, chosen: ReadonlySet<string> | undefined) {
  const isShown = (name: string) => chosen?.has(name) ?? true
  const shownHosts = [...hosts.values()].filter(({ name }) => isShown(name))
  return {
    groups: Object.fromEntries(
      [...groups.values()].map(group => {
        return [group.name, { hosts: group.hosts.filter(isShown), children: group.children }]
      }),
    ),
    hosts: Object.fromEntries(
      shownHosts.map(({ name, vars: _, password: __, becomePassword: ___, ...shown }) => [name, shown]),
    ),
  }
}

const asJson = (value: unknown) => JSON.stringify(value, null, 2)

function print(text: string): void {
  screen.print(process.stdout, `${text.trimEnd()}\n`)
}
