import { isIPv6 } from 'node:net'
import { SakError } from './errors.ts'
import { hostsOfGroup, type Inventory, type InventoryHost, inventoryNames, localhost } from './inventory.ts'
import { didYouMean } from './nearest.ts'

/** Names that mean this machine when the inventory has no such host. */
const localNames: readonly string[] = ['localhost', '127.0.0.1', '::1']

/**
 * Splits `a:b`, `a,b`, `a:!b` into single patterns. Colons within brackets, IPv6 addresses and `host:22` stay whole.
 * `@file` and `failed` come out as they are, for the caller to replace by the patterns they stand for. One that stands for
 * no host must be refused there: taken out of a list, it would leave `!web1` to mean all hosts but one.
 */
export function splitHostPattern(pattern: string): string[] {
  return pattern.split(/,(?![^[\]]*\])/).flatMap(part => splitAtColons(part.trim()))
}

function splitAtColons(pattern: string): string[] {
  if (pattern === '') return []
  if (isIPv6(pattern.replace(/^[!&]/, '')) || /^[\w.-]+:\d+$/.test(pattern)) return [pattern]
  const parts = pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []
  if (/[[\]]/.test(pattern.replace(/\[[^\]]*\]/g, ''))) {
    throw new SakError('usage', `The host pattern "${pattern}" has brackets that do not pair`)
  }
  return parts
}

/**
 * The hosts that Ansible's host patterns mean, in the inventory's order for each pattern:
 * names, groups, globs, `~regex`, `all`, `*`, a subscript (`web[0]`, `web[-1]`, `web[0:2]`: both ends counted), and after those
 * `&pattern` keeps only what it matches, `!pattern` takes out what it matches. A string is split first; a list is taken as it is.
 * Only `&` and `!` given: they apply to all hosts. `localhost` is this machine where the inventory has no such host.
 * The answer may be empty. `from` says in messages whose pattern it is. Throws SakError 'usage' for no pattern at all and for one that matches no group and no host, with the nearest names.
 */
export function selectHosts(inventory: Inventory, pattern: string | readonly string[], from?: string): InventoryHost[] {
  const among: Among = { inventory, of: from === undefined ? '' : ` of ${from}` }
  const patterns = (typeof pattern === 'string' ? splitHostPattern(pattern) : pattern).filter(one => one !== '')
  if (patterns.length === 0)
    throw new SakError('usage', `The host pattern${among.of} is empty`, { hint: 'For all hosts say "all".' })
  const having = (sign: string) => patterns.filter(one => one.startsWith(sign)).map(one => one.slice(1))
  const plain = patterns.filter(one => !/^[!&]/.test(one))
  const selected = new Map<string, InventoryHost>()
  for (const one of plain.length > 0 ? plain : ['all']) {
    for (const host of matchOne(among, one)) selected.set(host.name, host)
  }
  for (const one of having('&')) {
    const kept = new Set(matchOne(among, one).map(host => host.name))
    for (const name of selected.keys()) if (!kept.has(name)) selected.delete(name)
  }
  for (const one of having('!')) for (const host of matchOne(among, one)) selected.delete(host.name)
  return [...selected.values()]
}

/** The hosts to choose from, and ` of` whom the pattern is. */
interface Among {
  readonly inventory: Inventory
  readonly of: string
}

function matchOne(among: Among, pattern: string): InventoryHost[] {
  const known = among.inventory.hosts.get(pattern)
  if (known) return [known]
  const [, base = pattern, index, first, last] = pattern.startsWith('~')
    ? []
    : (/^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(pattern) ?? [])
  const hosts = hostsNamed(among, base)
  if (index === undefined && first === undefined) return hosts
  const chosen =
    index === undefined
      ? hosts.slice(Number(first), last ? Number(last) + 1 : undefined)
      : hosts.slice(Number(index)).slice(0, Number(index) >= -hosts.length ? 1 : 0)
  if (chosen.length > 0) return chosen
  throw new SakError(
    'usage',
    `The host pattern "${pattern}"${among.of} selects nothing: "${base}" has ${hosts.length} hosts`,
  )
}

function hostsNamed(among: Among, pattern: string): InventoryHost[] {
  const { inventory } = among
  const matches = patternMatcher(pattern)
  const groups = [...inventory.groups.keys()].filter(matches)
  const names = new Set(groups.flatMap(group => hostsOfGroup(inventory, group)))
  if (groups.length === 0 || /^~|[.?*[]/.test(pattern)) {
    for (const name of inventory.hosts.keys()) if (matches(name)) names.add(name)
  }
  if (names.size === 0 && localNames.includes(pattern)) return [localhost(inventory, pattern)]
  if (names.size === 0 && groups.length === 0) throw unknownPattern(among, pattern)
  return [...names].flatMap(name => inventory.hosts.get(name) ?? [])
}

/** Whether a name fits a single pattern: a name, a glob, or `~` and a regular expression. Throws SakError `usage`. */
export function patternMatcher(pattern: string): (name: string) => boolean {
  try {
    const regex = pattern.startsWith('~') ? new RegExp(`^(?:${pattern.slice(1)})`) : globRegex(pattern)
    return name => regex.test(name)
  } catch (cause) {
    const hint = 'After ~ comes a JavaScript regular expression; the pattern is split at "," and ":" outside brackets.'
    throw new SakError('usage', `The host pattern "${pattern}" is not a valid pattern`, { hint, cause })
  }
}

/** A glob as Python's fnmatch reads it: `*`, `?`, `[abc]`, `[!abc]`; no character is special to it, dots and slashes neither. */
function globRegex(glob: string): RegExp {
  const source = glob.replace(
    /\[(!?)(\]?[^\]]*)\]|[\s\S]/gu,
    (piece: string, not: string | undefined, set: string | undefined) => {
      if (piece === '*') return '.*'
      if (piece === '?') return '.'
      if (set) return `[${not ? '^' : ''}${set.replace(/[\\\][^]/g, '\\$&')}]`
      return piece.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    },
  )
  return new RegExp(`^${source}$`, 'su')
}

function unknownPattern({ inventory, of }: Among, pattern: string): SakError {
  const meant = didYouMean(pattern, new Set([...inventory.groups.keys(), ...inventory.hosts.keys()]))
  return new SakError('usage', `The host pattern "${pattern}"${of} matches no host and no group`, {
    hint: [...(meant === undefined ? [] : [meant]), inventoryNames(inventory)].join(' '),
  })
}
