import type { Adopted, FileRead, Host } from 'sak-reconcile'
import { type Directive, type ParsedStanza, parseConfig } from './parse.ts'
import { includedDirectory } from './verdict.ts'

interface Found {
  readonly name?: string
  readonly stanzas: { readonly paths: string[] }[]
}

/** The first line of a file of ours. Files of packages belong to them, and their upgrades. */
const ours = '# Managed by sak-reconcile'

/** A task for each file of ours, with what stands in it today. */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const files = await host.files([`${includedDirectory}/*`])
  const found = files.filter(({ content }) => content?.startsWith(ours)).map(stanzasOf)
  return found.length > 0 ? found : `no file of ${includedDirectory} is ours (those of packages stay theirs)`
}

function stanzasOf({ path, content }: FileRead): Found {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return { ...(name !== 'sak' && { name }), stanzas: parseConfig(content ?? '').stanzas.map(stanzaOf) }
}

function stanzaOf({ patterns, directives }: ParsedStanza) {
  const options = directives.map(optionOf)
  const who = directives.some(({ name }) => name === 'su') ? [] : [['su', false] as const]
  return { paths: patterns.map(({ glob }) => glob), ...Object.fromEntries([...options.flat(), ...who]) }
}

const sizes = new Set(['size', 'minsize', 'maxsize'])
const counts = new Set(['rotate', 'start', 'minage', 'maxage', 'shredcycles'])
const opposites: Readonly<Record<string, string>> = { ifempty: 'notifempty', maillast: 'mailfirst' }
const positive = new Set(['notifempty'])

/** A directive as the params have it. */
function optionOf({ name, value }: Directive): (readonly [string, unknown])[] {
  if (/^(hourly|daily|weekly|monthly|yearly)$/.test(name)) {
    return [['frequency', name], ...(value === '' ? [] : [['weekday', Number(value)] as const])]
  }
  if (sizes.has(name)) return [[name, value.toUpperCase()]]
  if (counts.has(name)) return [[name, Number(value)]]
  if (name === 'su') return [[name, ownerOf(['user', 'group'], value)]]
  if (name === 'create' || name === 'createolddir') {
    return [[name, value === '' || ownerOf(['mode', 'owner', 'group'], value)]]
  }
  const opposite = opposites[name] ?? (positive.has(name) ? undefined : /^no(.+)$/.exec(name)?.[1])
  if (opposite !== undefined) return [[opposite, false]]
  return [[name, value === '' ? true : /\n/.test(value) ? value.replace(/^\n|[\t ]*$/g, '') : value]]
}

/** The words by their names; a mode is left out where there is none. */
function ownerOf(names: readonly string[], value: string): Readonly<Record<string, string>> {
  const words = value.split(/\s+/)
  const named = names[0] === 'mode' && !/^\d/.test(words[0] ?? '') ? names.slice(1) : names
  return Object.fromEntries(words.map((word, index) => [named[index] ?? word, word]))
}
