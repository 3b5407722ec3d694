/** A package as dpkg knows it. */
export interface Row {
  /** Three characters, as `dpkg -l` shows them: wanted (`i`, `h` for held), state (`i` is installed), error (`R`). */
  readonly status: string
  readonly version: string
}

/** The packages that dpkg knows, by their names; those of the host's own architecture without its name. */
export type Rows = ReadonlyMap<string, Row>

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills it in
export const rowFormat = '${db:Status-Abbrev}\t${binary:Package}\t${Version}\n'

/** What `dpkg-query --show` printed in our format. */
export function parseRows(stdout: string, architecture: string): Rows {
  const rows = stdout.split('\n').flatMap(line => {
    const [status, name, version] = line.split('\t')
    if (status === undefined || name === undefined || version === undefined) return []
    return [[plainName(name, architecture), { status, version }] as const]
  })
  return new Map(rows)
}

/** `libc6:amd64` is `libc6` on a host of that architecture. */
export function plainName(name: string, architecture: string): string {
  return name.endsWith(`:${architecture}`) ? name.slice(0, -architecture.length - 1) : name
}

const stateOf = (row: Row | undefined) => row?.status.charAt(1) ?? 'n'
/** Installed, configured, and nothing to be mended. */
export const isWhole = (row: Row | undefined) => stateOf(row) === 'i' && row?.status.charAt(2) !== 'R'
/** Whether any of its programs may be there. */
export const isThere = (row: Row | undefined) => !['n', 'c'].includes(stateOf(row))
/** Held as it is: nobody upgrades or removes it by the way. */
export const isHeld = (row: Row | undefined) => isThere(row) && row?.status.startsWith('h') === true
export const isConfigOnly = (row: Row | undefined) => stateOf(row) === 'c'

const stateWords: Readonly<Record<string, string>> = {
  H: 'half-installed',
  U: 'unpacked, not configured',
  F: 'half-configured',
  W: 'waits for triggers',
  t: 'has triggers to run',
}

/** A package in the words of a report: its version, or what is wrong with it. */
export function inWords(row: Row | undefined): string {
  if (!row || !isThere(row)) return isConfigOnly(row) ? 'only its configuration' : 'not installed'
  return isWhole(row) ? row.version : `${row.version}, ${stateWords[stateOf(row)] ?? 'to be reinstalled'}`
}

/** What apt would do. */
export interface Simulation {
  /** Packages that get a version; `from` is the one that they have. */
  readonly installs: readonly { readonly name: string; readonly from: string | undefined; readonly to: string }[]
  readonly removes: readonly string[]
  /** Packages that are only configured, since that failed before. */
  readonly configures: readonly { readonly name: string; readonly version: string }[]
  readonly downgrades: readonly string[]
  /** Held packages that would be changed all the same. */
  readonly held: readonly string[]
}

/** What `apt-get -s` printed, in the language C. */
export function parseSimulation(stdout: string): Simulation {
  const lines = [...stdout.matchAll(/^(Inst|Conf|Remv|Purg) (\S+)(?: \[([^\]]*)\])?(?: \((\S+))?/gm)]
  const of = (verb: string) => lines.filter(line => line[1] === verb)
  const installs = of('Inst').map(([, , name = '', from, to = '']) => ({ name, from, to }))
  const configures = of('Conf').map(([, , name = '', , version = '']) => ({ name, version }))
  return {
    installs,
    removes: [...new Set([...of('Remv'), ...of('Purg')].map(([, , name = '']) => name))],
    configures: configures.filter(({ name }) => !installs.some(each => each.name === name)),
    downgrades: listUnder(stdout, 'The following packages will be DOWNGRADED:'),
    held: listUnder(stdout, 'The following held packages will be changed:'),
  }
}

/** The names that stand, indented, under a heading of apt's. */
function listUnder(stdout: string, heading: string): readonly string[] {
  const [, after = ''] = stdout.split(`${heading}\n`)
  const list = /^(?: .*\n)*/.exec(after)?.[0] ?? ''
  return list.split(/\s+/).filter(name => name !== '')
}

/** The versions that apt can get, by package, as `apt-cache madison` printed them: the newest first. */
export function parseMadison(stdout: string): ReadonlyMap<string, readonly string[]> {
  const versions = new Map<string, string[]>()
  for (const line of stdout.split('\n')) {
    const [name, version, source = ''] = line.split('|').map(word => word.trim())
    if (name === undefined || version === undefined || !source.endsWith('Packages')) continue
    const known = versions.get(name) ?? []
    versions.set(name, known.includes(version) ? known : [...known, version])
  }
  return versions
}

/** The packages that apt has for installed only because others need them, as /var/lib/apt/extended_states says. */
export function parseAutomatic(content: string, architecture: string): ReadonlySet<string> {
  const automatic = content.split('\n\n').flatMap(stanza => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]
    const name = field('Package')
    if (name === undefined || field('Auto-Installed') !== '1') return []
    return [plainName(`${name}:${field('Architecture') ?? architecture}`, architecture)]
  })
  return new Set(automatic)
}

/** The time on the host, and when apt's lists were last fetched; nothing where there are none. In seconds since 1970. */
export interface ListTimes {
  readonly now: number
  readonly fetched: number | undefined
}

/** What our look at the lists printed: the time, then one line for the directory and for each list. */
export function parseListTimes(stdout: string): ListTimes {
  const [now = '', ...lines] = stdout.trim().split('\n')
  const times = lines.map(line => line.split(' '))
  const hasLists = times.some(([, name = '']) => name.includes('_Packages'))
  return { now: Number(now), fetched: hasLists ? Math.max(...times.map(([time]) => Number(time))) : undefined }
}
