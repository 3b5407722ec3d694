/** What the files of a project say of a service, one over the other. */
import { isScalar } from 'yaml'
import {
  type ComposeDocument,
  entryOf,
  lineAt,
  type Mapping,
  mapOf,
  rangeOf,
  serviceOf,
  type Word,
  wordAt,
} from './document.ts'
import type { Path } from './forms.ts'

/** The files that compose lays over each other, in their order. */
export interface Project {
  readonly paths: readonly string[]
  readonly documents: readonly ComposeDocument[]
  /** The same as they are on the host, for the lines that people see. */
  readonly asRead: readonly ComposeDocument[]
}

/** A part of a file that has a say about a service; later ones have the last word. */
export interface Layer {
  /** The file, by its place in the list. */
  readonly file: number
  readonly map: Mapping
  /** Another service of the same file, which ours extends. */
  readonly base?: string
}

/** All layers of a service, the weakest first. */
export function layersOf(documents: readonly ComposeDocument[], service: string): readonly Layer[] {
  return documents.flatMap((document, file) => {
    const map = serviceOf(document, service)
    return map ? [...basesOf(document, map, file, [service]), { file, map }] : []
  })
}

function basesOf(document: ComposeDocument, map: Mapping, file: number, seen: readonly string[]): readonly Layer[] {
  const { service, elsewhere } = extendsOf(document, map) ?? {}
  if (service === undefined || elsewhere !== undefined || seen.includes(service)) return []
  const base = serviceOf(document, service)
  if (!base) return []
  return [...basesOf(document, base, file, [...seen, service]), { file, map: base, base: service }]
}

/** The service that a service extends, and the file that it is in, where that is another. */
export function extendsOf(
  document: ComposeDocument,
  map: Mapping,
): { readonly service: string | undefined; readonly elsewhere?: string } | undefined {
  const entry = entryOf(document, map, 'extends')
  if (!entry) return undefined
  if (isScalar(entry.value)) return { service: String(entry.value.value) }
  const detailed = mapOf(document, entry.value)
  const word = (key: string) => detailed && wordAt(document, detailed, [key])?.text
  const elsewhere = word('file')
  return { service: word('service'), ...(elsewhere !== undefined && { elsewhere }) }
}

export interface Standing {
  readonly layer: Layer
  readonly word: Word
}

/** The word at a path that counts, and the layer that has it. */
export function standing(
  documents: readonly ComposeDocument[],
  layers: readonly Layer[],
  path: Path,
): Standing | undefined {
  return layers.reduce<Standing | undefined>((last, layer) => {
    const document = documents[layer.file]
    const word = document && wordAt(document, layer.map, path)
    return word ? { layer, word } : last
  }, undefined)
}

/** Where the word at a path stands on the host, or where the service does: `/srv/app/compose.yml:12`. */
export function placeOf({ paths, asRead }: Project, service: string, path: Path): string {
  const layers = layersOf(asRead, service)
  const found = standing(asRead, layers, path)
  const main = layers.find(({ base }) => base === undefined)
  const file = found?.layer.file ?? main?.file ?? 0
  const offset = found?.word.offset ?? rangeOf(main?.map)?.[0] ?? 0
  return `${paths[file]}:${lineAt(asRead[file]?.text ?? '', offset)}`
}
