import { blocked, type FileRead, type Host, type Stat } from 'sak-reconcile'
import { globDirectory, isGlob } from './glob.ts'
import { type Directive, type ParsedConfig, parseConfig } from './parse.ts'

export const mainConfig = '/etc/nginx/nginx.conf'
const prefix = '/etc/nginx/'

/** What stock configurations of Debian, Ubuntu and nginx.org include: asked for at once, before we know what this one does. */
const usual = [
  '/etc/nginx/conf.d/*.conf',
  '/etc/nginx/sites-enabled/*',
  '/etc/nginx/modules-enabled/*.conf',
  '/etc/nginx/mime.types',
  '/etc/nginx/proxy_params',
  '/etc/nginx/fastcgi.conf',
  '/etc/nginx/fastcgi_params',
  '/etc/nginx/snippets/*.conf',
  '/etc/nginx/default.d/*.conf',
]

const maxDepth = 16
const maxDirectives = 200_000

/** A directive of the whole configuration, where nginx sees it: includes are followed, their directives stand in their place. */
export interface Node {
  readonly name: string
  readonly args: readonly string[]
  readonly file: FileRead
  readonly directive: Directive
  /** The block that it stands in; undefined at the top. */
  readonly parent: Node | undefined
  /** The `include` through which it came, if it stands in another file than its parent. */
  readonly include: Node | undefined
  readonly children: Node[]
}

/** nginx's configuration as it is on disk. */
export interface Config {
  readonly top: readonly Node[]
  /** Every file that nginx would load, each once, in order. */
  readonly files: readonly FileRead[]
  /** Directories whose entries decide what a pattern includes. `null` where there is none. */
  readonly directories: ReadonlyMap<string, Stat | null>
}

/** The file and line of a directive, for messages. */
export function placeOf(node: Node): string {
  return `${node.file.path}:${node.directive.line}`
}

/** A directive as its file spells it, without a block. */
export function textOf(node: Node): string {
  const last = node.directive.args.at(-1)
  return (node.file.content ?? '').slice(node.directive.start, last?.end ?? node.directive.start + node.name.length)
}

/** The directives of a block in the order nginx reads them, those of included files in their place. */
export function* level(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    yield node
    if (node.name === 'include') yield* level(node.children)
  }
}

/** All directives of the given ones, and of their blocks. */
export function* walk(nodes: readonly Node[]): Generator<Node> {
  const waiting = [...nodes].reverse()
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index]
      if (child) waiting.push(child)
    }
  }
}

/** The absolute path or pattern that an `include` names. */
export function includeTarget(include: Node): string {
  const target = include.args[0] ?? ''
  return target.startsWith('/') ? target : prefix + target
}

/**
 * Reads nginx.conf and all that it includes. `ours` is not read into the tree: it is written anew, whatever it holds.
 * Throws a blocked error where nginx itself could not read the configuration.
 */
export async function readConfig(host: Host, ours: string): Promise<Config> {
  const reader = readerOf(host)
  for (const pattern of [mainConfig, ...usual]) reader.prefetch(pattern)
  const [main] = await reader.files(mainConfig)
  if (!main) throw blocked('refused', `there is no ${mainConfig}`, 'apt-get install --reinstall nginx-common')
  const top: Node[] = []
  const loader = loaderOf(reader, ours)
  // All that the files of one round include is asked for at once: a round trip for each depth, not for each file.
  let round: Included[] = [{ file: main, into: top, parent: undefined, include: undefined, chain: [] }]
  while (round.length > 0) {
    const includes = round.flatMap(included => loader.expand(included))
    round = (await Promise.all(includes.map(include => loader.follow(include)))).flat()
  }
  return { top, files: loader.files(), directories: await reader.directories() }
}

/** A file to be read into the tree: where its directives go, and the files through which it was reached. */
interface Included {
  readonly file: FileRead
  readonly into: Node[]
  readonly parent: Node | undefined
  readonly include: Node | undefined
  readonly chain: readonly string[]
}

interface PendingInclude {
  readonly node: Node
  readonly chain: readonly string[]
}

function loaderOf(reader: Reader, ours: string) {
  const loaded = new Map<string, FileRead>()
  const parsed = new Map<string, readonly Directive[]>()
  let count = 0
  const parseOnce = (file: FileRead): readonly Directive[] => {
    const directives = parsed.get(file.path) ?? parseOrRefuse(file)
    parsed.set(file.path, directives)
    return directives
  }
  return {
    files: () => [...loaded.values()],
    /** Reads a file's directives into the tree; answers the includes among them. */
    expand({ file, into, parent, include, chain }: Included): PendingInclude[] {
      loaded.set(file.path, file)
      if (file.path === ours) return []
      if (chain.length > maxDepth) throw blocked('refused', `${file.path} is included in itself: ${chain.join(', ')}`)
      const pending: PendingInclude[] = []
      const waiting = [{ directives: parseOnce(file), into, parent }]
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        for (const directive of next.directives) {
          count += 1
          if (count > maxDirectives) throw blocked('unsupported', `nginx loads more than ${maxDirectives} directives`)
          const args = directive.args.map(arg => arg.value)
          const node: Node = {
            name: directive.name,
            args,
            file,
            directive,
            parent: next.parent,
            include: next.parent === parent ? include : undefined,
            children: [],
          }
          next.into.push(node)
          if (directive.block)
            waiting.push({ directives: directive.block.directives, into: node.children, parent: node })
          if (node.name === 'include') pending.push({ node, chain: [...chain, file.path] })
        }
      }
      return pending
    },
    async follow({ node, chain }: PendingInclude): Promise<Included[]> {
      const target = includeTarget(node)
      const files = await reader.files(target)
      if (files.length === 0 && !isGlob(target) && target !== ours) {
        throw broken(placeOf(node), `includes ${target}, which is not there`)
      }
      return files.map(file => ({ file, into: node.children, parent: node.parent, include: node, chain }))
    },
  }
}

function parseOrRefuse(file: FileRead): readonly Directive[] {
  const { directives, error }: ParsedConfig = parseConfig(file.content ?? '')
  if (error) throw broken(`${file.path}:${error.line}`, error.message)
  return directives
}

/** What nginx could not load before we came. */
function broken(place: string, message: string) {
  return blocked(
    'refused',
    `nginx cannot load its configuration as it is, before any change of ours: ${place}: ${message}`,
    'mend it by hand until `nginx -t` succeeds',
  )
}

interface Reader {
  prefetch(pattern: string): void
  files(pattern: string): Promise<readonly FileRead[]>
  /** The directories of all patterns that were asked for in earnest. */
  directories(): Promise<ReadonlyMap<string, Stat | null>>
}

/** Asks for each pattern once. One that was only prefetched and may not be read troubles nobody. */
function readerOf(host: Host): Reader {
  const asked = new Map<string, Promise<readonly FileRead[]>>()
  const stats = new Map<string, Promise<Stat | null>>()
  const used = new Set<string>()
  const ask = (pattern: string) => {
    const reading =
      asked.get(pattern) ??
      (isGlob(pattern) ? host.files([pattern]) : host.file(pattern).then(file => (file.content === null ? [] : [file])))
    asked.set(pattern, reading)
    if (!isGlob(pattern)) return reading
    const directory = globDirectory(pattern)
    const stat = stats.get(directory) ?? host.stat(directory)
    stats.set(directory, stat)
    stat.catch(() => {})
    return reading
  }
  return {
    prefetch: pattern => void ask(pattern).catch(() => {}),
    files(pattern) {
      if (isGlob(pattern)) used.add(globDirectory(pattern))
      return ask(pattern)
    },
    async directories() {
      const read = [...used].map(async path => [path, (await stats.get(path)) ?? null] as const)
      return new Map(await Promise.all(read))
    },
  }
}
