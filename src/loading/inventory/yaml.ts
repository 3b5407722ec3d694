import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type ScalarTag,
  type Tags,
  type YAMLMap,
} from 'yaml'
import { SakError } from '../../core/errors.ts'
import type { SourceDocument } from './source-document.ts'
import { refuseTwice } from './values.ts'
import { refuseVault } from './vault.ts'

const scalar = (tag: string, test: RegExp, resolve: (text: string) => unknown, format?: string): ScalarTag => ({
  tag: `tag:yaml.org,2002:${tag}`,
  default: true,
  test,
  resolve,
  ...(format === undefined ? {} : { format }),
})

/** A number where JavaScript can hold it exactly, else the text. */
function wholeNumber(text: string, digits: string, base: number): number | string {
  const value = Number.parseInt(digits.replaceAll('_', ''), base) * (text.startsWith('-') ? -1 : 1)
  return Number.isSafeInteger(value) ? value : text
}

/** `1:30` is 90 to YAML 1.1. */
function sexagesimal(text: string): number {
  const parts = text.replace(/^[-+]/, '').replaceAll('_', '').split(':')
  return parts.reduce((sum, part) => sum * 60 + Number(part), 0) * (text.startsWith('-') ? -1 : 1)
}

/** Plain scalars as PyYAML (YAML 1.1) reads them, so that Ansible's files mean the same here. Dates stay text. */
const pythonScalars: readonly ScalarTag[] = [
  scalar('bool', /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/, () => true),
  scalar('bool', /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/, () => false),
  scalar('int', /^[-+]?0b[01_]+$/, text => wholeNumber(text, text.replace(/^[-+]?0b/, ''), 2), 'BIN'),
  scalar('int', /^[-+]?0[0-7_]+$/, text => wholeNumber(text, text.replace(/^[-+]?0/, '0'), 8), 'OCT'),
  scalar('int', /^[-+]?0x[\da-fA-F_]+$/, text => wholeNumber(text, text.replace(/^[-+]?0x/, ''), 16), 'HEX'),
  scalar('int', /^[-+]?(?:0|[1-9][\d_]*)$/, text => wholeNumber(text, text.replace(/^[-+]/, ''), 10)),
  scalar('int', /^[-+]?[1-9][\d_]*(?::[0-5]?\d)+$/, sexagesimal, 'TIME'),
  scalar('float', /^(?:[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.\d[\d_]*(?:[eE][-+]\d+)?)$/, text =>
    Number(text.replaceAll('_', '')),
  ),
  scalar('float', /^[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*$/, sexagesimal, 'TIME'),
]

const isText = (tag: Tags[number]) => typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:str'
const isCollection = (tag: Tags[number]) =>
  typeof tag === 'object' && (tag.collection !== undefined || tag.tag.endsWith(':null'))

/** Text under a tag of Ansible's: `!unsafe` is text that is never a template, `!vault` is refused once its place is known. */
const ansibleTags: readonly ScalarTag[] = [
  { tag: '!unsafe', resolve: text => text },
  { tag: '!vault', resolve: text => text },
  { tag: '!vault-encrypted', resolve: text => text },
]

const mergeKeys = (tag: Tags[number]) => tag === 'merge' || (typeof tag === 'object' && tag.tag.endsWith(':merge'))

function customTags(tags: Tags): Tags {
  const kept = tags.filter(tag => isText(tag) || mergeKeys(tag) || (isCollection(tag) && !isOddCollection(tag)))
  return [...kept, ...pythonScalars, ...ansibleTags]
}

function isOddCollection(tag: Tags[number]): boolean {
  return typeof tag === 'object' && /:(?:omap|pairs|set)$/.test(tag.tag)
}

/** Reads YAML as Ansible reads it (YAML 1.1: `yes` is true, `010` is 8). Throws SakError 'invalid-inventory' as `parseSource` does. */
export function parseYaml(text: string, file: string): SourceDocument {
  const lines = new LineCounter()
  const doc = parse(text, file, lines)
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`
  const [problem] = [...doc.errors, ...doc.warnings]
  if (problem) throw new SakError('invalid-inventory', `${at(problem.pos[0])}: ${problem.message}`)
  checkNodes(doc.contents, at)
  const known = new WeakMap<object, Pairs>()
  return { data: guarded(file, () => doc.toJS()), locate: path => at(offsetOf(doc, path, known)) }
}

function parse(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  const schema = { version: '1.1', merge: true, customTags } as const
  return guarded(file, () =>
    parseDocument(text, { lineCounter, stringKeys: true, uniqueKeys: false, prettyErrors: false, ...schema }),
  )
}

/** What the parser throws, as for endless aliases or a thousand nested brackets, is the file's mistake too. */
function guarded<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('invalid-inventory', `${file}: cannot be parsed: ${why}`, { cause })
  }
}

/** Refuses encrypted values and keys given twice. (The library's own check for these takes ever longer with the keys of a map.) */
function checkNodes(node: ParsedNode | null, at: (offset: number) => string): void {
  if (isScalar(node) && node.tag?.startsWith('!vault')) refuseVault(at(node.range[0]))
  if (isSeq(node)) for (const item of node.items) checkNodes(item, at)
  if (!isMap(node)) return
  const keys = new Set<string>()
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (keys.has(name) && name !== '<<') refuseTwice(name, at(key.range[0]))
    keys.add(name)
    checkNodes(value, at)
  }
}

type Pairs = Map<string, { key: ParsedNode; value: ParsedNode | null }>

/** The pairs of a map by key: looked up once for each of thousands of hosts. */
function pairsOf(map: YAMLMap.Parsed, known: WeakMap<object, Pairs>): Pairs {
  const pairs =
    known.get(map) ??
    new Map(map.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : '', { key, value }]))
  known.set(map, pairs)
  return pairs
}

/** The offset of the deepest part of a path that is in the document itself. */
function offsetOf(doc: Document.Parsed, path: readonly PropertyKey[], known: WeakMap<object, Pairs>): number {
  let node: ParsedNode | null = doc.contents
  let offset = node?.range[0] ?? 0
  for (const step of path) {
    if (isAlias(node)) return offset
    if (isMap(node)) {
      const pair = pairsOf(node, known).get(String(step))
      if (!pair) return offset
      offset = pair.key.range[0]
      node = pair.value
    } else if (isSeq(node)) {
      const item: ParsedNode | undefined = node.items[Number(step)]
      if (!item) return offset
      offset = item.range[0]
      node = item
    } else return offset
  }
  return offset
}
