/** The limits that files set. Loads the YAML parser: import it late. */
import { type FileRead, Size } from 'sak-reconcile'
import { parseCompose, servicesOf } from './document.ts'
import { pathsOf } from './forms.ts'
import { layersOf, standing } from './layers.ts'
import { settingNames } from './params.ts'
import { meaningOf, sizeText } from './values.ts'

type Found = { memory?: Size; memoryReservation?: Size; cpus?: number; cpuReservation?: number; replicas?: number }

/** By service, what the files say in words that a task can say too. */
export function limitsIn(files: readonly FileRead[]): Record<string, Found> {
  const documents = files.flatMap(({ content }) => {
    const document = parseCompose(content ?? '')
    return 'fault' in document ? [] : [document]
  })
  const names = documents.flatMap(document => servicesOf(document)?.items.map(({ key }) => String(key)) ?? [])
  const entries = [...new Set(names)].flatMap(service => {
    const layers = layersOf(documents, service)
    const word = (path: readonly [string, ...string[]]) => standing(documents, layers, path)?.word.text
    const found: Found = {}
    for (const name of settingNames) {
      const [text] = pathsOf(name).flatMap(path => word(path) ?? [])
      const value = text === undefined ? undefined : meaningOf(name, text)
      if (value === undefined || value === 0) continue
      if (name === 'cpus' || name === 'cpuReservation') found[name] = value
      else {
        const size = Size.safeParse(sizeText(value))
        if (size.success) found[name] = size.data
      }
    }
    if (Object.keys(found).length === 0) return []
    const replicas = Number(word(['deploy', 'replicas']) ?? word(['scale']) ?? 1)
    return [[service, { ...found, ...(replicas > 1 && { replicas }) }] as const]
  })
  return Object.fromEntries(entries)
}
