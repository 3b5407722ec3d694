/** A compose file as a tree that knows where in the text each part of it stands. Loads the YAML parser: import it late. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap } from 'yaml'

export type Mapping = YAMLMap<unknown, unknown>
export type Entry = Pair<unknown, unknown>

export interface ComposeDocument {
  readonly text: string
  readonly tree: Document.Parsed
  /** What it says, aliases and merges resolved. */
  readonly data: unknown
}

/** A compose file, or what is wrong with it, with the line. */
export function parseCompose(text: string): ComposeDocument | { readonly fault: string } {
  const tree = parseDocument(text, { merge: true, logLevel: 'silent' })
  const [error] = tree.errors
  if (error) return { fault: error.message.split('\n')[0]?.replace(/:$/, '') ?? error.code }
  try {
    return { text, tree, data: tree.toJS({ maxAliasCount: 1000 }) }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

/** The map that a value is, aliases followed. */
export function mapOf({ tree }: ComposeDocument, value: unknown): Mapping | undefined {
  const node = isAlias(value) ? value.resolve(tree) : value
  return isMap(node) ? node : undefined
}

/** The entry of a key, in the map itself or in one that it merges (`<<`). */
export function entryOf(document: ComposeDocument, map: Mapping, key: string): Entry | undefined {
  const own = map.items.find(entry => isScalar(entry.key) && entry.key.value === key)
  if (own) return own
  for (const entry of map.items) {
    if (!isMerge(entry)) continue
    const resolved = isAlias(entry.value) ? entry.value.resolve(document.tree) : entry.value
    for (const each of isSeq(resolved) ? resolved.items : [resolved]) {
      const merged = mapOf(document, each)
      const found = merged && entryOf(document, merged, key)
      if (found) return found
    }
  }
  return undefined
}

const isMerge = ({ key }: Entry) => isScalar(key) && key.source === '<<' && key.type === 'PLAIN'

/** The map of all services, and that of one. */
export function serviceOf(document: ComposeDocument, name: string): Mapping | undefined {
  const services = servicesOf(document)
  return services && mapOf(document, entryOf(document, services, name)?.value)
}

export function servicesOf(document: ComposeDocument): Mapping | undefined {
  const root = mapOf(document, document.tree.contents)
  return root && mapOf(document, entryOf(document, root, 'services')?.value)
}

/** How far a path leads into a map: to an entry, or to the last map on the way and the keys that are not there. */
export type Found =
  | { readonly kind: 'entry'; readonly entry: Entry; readonly missing: readonly string[] }
  | { readonly kind: 'map'; readonly map: Mapping; readonly missing: readonly string[] }

export function find(document: ComposeDocument, map: Mapping, path: readonly string[]): Found {
  const [key = '', ...rest] = path
  const entry = entryOf(document, map, key)
  if (!entry) return { kind: 'map', map, missing: path }
  const inner = rest.length > 0 ? mapOf(document, entry.value) : undefined
  return inner ? find(document, inner, rest) : { kind: 'entry', entry, missing: rest }
}

/** A value that is one word, as it is written, and where. */
export interface Word {
  readonly text: string
  readonly offset: number
}

/** The word at a path; nothing where there is none, or it is null. What is no word comes out as an empty one. */
export function wordAt(document: ComposeDocument, map: Mapping, path: readonly string[]): Word | undefined {
  const found = find(document, map, path)
  if (found.kind === 'map') return undefined
  const { value } = found.entry
  const offset = rangeOf(value)?.[0] ?? rangeOf(found.entry.key)?.[0] ?? 0
  const node = isAlias(value) ? value.resolve(document.tree) : value
  if (node === null || node === undefined || (isScalar(node) && node.value === null)) return undefined
  if (found.missing.length > 0 || !isScalar(node)) return { text: '', offset }
  return { text: typeof node.value === 'string' ? node.value : (node.source ?? String(node.value)), offset }
}

/** Compose's own tags on the way to a path, `!reset` and `!override`, which change how files are merged. */
export function tagOnTheWay(document: ComposeDocument, map: Mapping, path: readonly string[]): Word | undefined {
  const [key, ...rest] = path
  const entry = key === undefined ? undefined : entryOf(document, map, key)
  if (!entry) return undefined
  const { value } = entry
  const tag = (isMap(value) || isScalar(value) || isSeq(value)) && value.tag
  if (tag === '!reset' || tag === '!override') return { text: tag, offset: rangeOf(value)?.[0] ?? 0 }
  const inner = mapOf(document, value)
  return inner && tagOnTheWay(document, inner, rest)
}

/** Where a node begins and ends in the text; its anchor and tag stand before. */
export function rangeOf(node: unknown): readonly [number, number] | undefined {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
  return range ? [range[0], range[1]] : undefined
}

/** The number of the line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
