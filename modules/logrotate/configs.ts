import { type FileRead, type Host, orUnreadable, type SakError } from 'sak-reconcile'
import { type ParsedConfig, parseConfig, tabooGlobs } from './parse.ts'
import { matches } from './paths.ts'
import { includedDirectory, mainFile } from './verdict.ts'

/** logrotate's whole configuration, file by file; only the files that it reads. */
export interface Configs {
  readonly files: readonly FileRead[]
  readonly blocked: readonly SakError[]
}

// `include` reads dotfiles too.
const inDirectory = (directory: string) => [`${directory}/*`, `${directory}/.[!.]*`]

/** Reads the configuration; includes of other places than /etc/logrotate.d cost one more round trip. */
export async function readConfigs(host: Host): Promise<Configs> {
  const first = await Promise.all([host.file(mainFile), orUnreadable(host.files(inDirectory(includedDirectory)))])
  const [main, included] = first
  const parsed = parseConfig(main.content ?? '')
  if ('kind' in included) return { files: [main], blocked: [included.error] }
  const files = [main, ...included.filter(read => isRead(read.path, parsed))]
  const elsewhere = [...new Set(files.flatMap(includesOf))].filter(place => place !== includedDirectory)
  if (elsewhere.length === 0) return { files, blocked: [] }
  const more = await orUnreadable(host.files(elsewhere.flatMap(place => [place, ...inDirectory(place)])))
  if ('kind' in more) return { files, blocked: [more.error] }
  const known = new Set(files.map(read => read.path))
  return { files: [...files, ...more.filter(read => !known.has(read.path) && isRead(read.path, parsed))], blocked: [] }
}

function includesOf({ content }: FileRead): readonly string[] {
  const { globals } = parseConfig(content ?? '')
  const places = globals.filter(({ name }) => name === 'include').map(({ value }) => value.replace(/(.)\/+$/, '$1'))
  return places.filter(place => place.startsWith('/'))
}

function isRead(path: string, main: ParsedConfig): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return !tabooGlobs(main).some(glob => matches(name, glob))
}

/** Whether asking `logrotate -d` would write: it makes the directories of `createolddir`. */
export function hasCreateolddir(files: readonly FileRead[]): boolean {
  return files.some(read => {
    const { globals, stanzas } = parseConfig(read.content ?? '')
    return [...globals, ...stanzas.flatMap(stanza => stanza.directives)].some(({ name }) => name === 'createolddir')
  })
}
