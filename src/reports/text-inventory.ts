import pc from 'picocolors'
import { codeOf } from '../core/code.ts'
import type { Inventory, InventoryHost } from '../core/inventory.ts'
import type { HostOrigins, Origin, Place } from '../core/provenance.ts'
import { printable } from '../core/terminal.ts'

type Colors = ReturnType<typeof pc.createColors>

/** A line of the tree: what stands for it, and how its host is reached. */
interface Branch {
  readonly text: string
  readonly beside?: string
}

/** Groups and hosts as a tree, each host with its address and how it is reached. `chosen` are those to show; default all. */
export function inventoryTree(inventory: Inventory, color: boolean, chosen?: ReadonlySet<string>): string {
  const colors = pc.createColors(color)
  const branches = groupBranches(inventory, 'all', colors, chosen)
  const wide = Math.max(0, ...branches.map(({ text, beside }) => (beside === undefined ? 0 : shownLength(text))))
  const lines = branches.map(({ text, beside }) =>
    beside === undefined ? text : `${text}${' '.repeat(wide - shownLength(text))}  ${beside}`,
  )
  return `${[colors.bold('all'), ...lines].join('\n')}\n`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what this leaves out
const shownLength = (text: string) => text.replaceAll(/\u001b\[\d+m/g, '').length

function groupBranches(
  inventory: Inventory,
  name: string,
  colors: Colors,
  chosen: ReadonlySet<string> | undefined,
): Branch[] {
  const group = inventory.groups.get(name)
  const isShown = (host: string) => chosen?.has(host) ?? true
  const hosts = (group?.hosts ?? []).filter(isShown).map((host): Branch[] => [hostBranch(inventory, host, colors)])
  const groups = (group?.children ?? []).flatMap((child): Branch[][] => {
    const inner = groupBranches(inventory, child, colors, chosen)
    const isLeftOut = inner.length === 0 && (chosen !== undefined || child === 'ungrouped')
    const empty = inner.length === 0 ? colors.dim('  no hosts') : ''
    return isLeftOut ? [] : [[{ text: `${colors.bold(printable(child))}${empty}` }, ...inner]]
  })
  const items = [...hosts, ...groups]
  return items.flatMap((item, index) => {
    const isLast = index === items.length - 1
    return item.map(({ text, ...rest }, line) => {
      const lead = line === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '
      return { text: `${colors.dim(lead)}${text}`, ...rest }
    })
  })
}

function hostBranch(inventory: Inventory, name: string, colors: Colors): Branch {
  const host = inventory.hosts.get(name)
  return { text: colors.cyan(printable(name)), beside: host ? printable(reached(host)) : '' }
}

/** `ssh ubuntu@10.0.0.5:2222, becomes root`; user and port only where the inventory or the command line say them. */
function reached({ connection, address, port, user, become, becomeUser = 'root' }: InventoryHost): string {
  const by = become ? `, becomes ${becomeUser}` : ''
  if (connection === 'local') return `local${by}`
  const at = port === undefined ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`
  return `ssh ${user === undefined ? '' : `${user}@`}${at}${by}`
}

/** A host's page: how it is reached, its variables and params, each with where it comes from. */
export function hostPage({ host, groups, connection, variables, playbooks }: HostOrigins, color: boolean): string {
  const colors = pc.createColors(color)
  const within = groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`
  const section = (title: string, origins: readonly Origin[], none: string) => [
    '',
    colors.bold(printable(title)),
    ...(origins.length === 0 ? [`  ${colors.dim(none)}`] : originLines(origins, colors)),
  ]
  const params =
    playbooks === undefined
      ? section('Params', [], 'name a playbook to see its params for this host')
      : playbooks.flatMap(({ name, params }) => section(`Params of ${name}`, params, 'it has none'))
  const lines = [
    `${colors.bold(printable(host))}  ${colors.dim(printable(within))}`,
    ...section('Connection', connection, ''),
    ...section('Variables', variables, 'none'),
    ...(playbooks?.length === 0 ? section('Params', [], 'the playbook is for other hosts') : params),
  ]
  return `${lines.join('\n')}\n`
}

/** Longer values push what stands beside them out of its column. */
const widestValue = 40

function originLines(origins: readonly Origin[], colors: Colors): string[] {
  const rows = origins.map(({ name, value, ...place }) => {
    return { name: printable(name), value: printable(codeOf(value, Number.POSITIVE_INFINITY)), place }
  })
  const names = Math.max(...rows.map(({ name }) => name.length))
  const values = Math.max(0, ...rows.map(({ value }) => (value.length > widestValue ? 0 : value.length)))
  return rows.map(({ name, value, place }) => {
    const source = place.from === 'default' ? colors.dim('default') : placeText(place)
    const over = place.overrides.length === 0 ? '' : colors.dim(`, over ${place.overrides.map(placeText).join(', ')}`)
    return `  ${colors.cyan(name.padEnd(names))}  ${value.padEnd(values)}  ${source}${over}`
  })
}

const placeText = ({ from, at }: Place) => printable(at === undefined ? from : `${from} (${at})`)
