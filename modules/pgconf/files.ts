import { absent, type FileRead, type FileState, file, holdsSecret, renderTemplate } from 'sak-reconcile'
import { commentOut, type Entry, follow, type Tree, winner, withFiles } from './configuration.ts'
import type { Found } from './found.ts'
import { commandLineRows, withoutOption } from './overrides.ts'
import { quoteValue } from './parse.ts'

/** Another file's line that wins over ours, with another meaning. */
export interface Rival {
  readonly name: string
  readonly entries: readonly Entry[]
}

export interface DesiredFiles {
  readonly files: readonly FileState[]
  readonly rivals: readonly Rival[]
  /** The tree once the files are as desired. */
  readonly tree: Tree
}

/**
 * Our file, the line that includes it where nothing does, and, where overrides go, the other files without the lines that win
 * over ours.
 */
export function desiredFiles(
  found: Found,
  settings: ReadonlyMap<string, string>,
  same: (name: string, value: string) => boolean,
  removing: boolean,
): DesiredFiles {
  const { cluster, path } = found
  const top = `${cluster.directory}/postgresql.conf`
  const ours = ourFile(found, settings)
  let tree: Tree = { ...found.tree, files: withFiles(found.tree.files, [ours]) }
  const changed = new Map<string, FileState>([[path, ours]])
  const change = (target: string, content: string) => {
    const state: FileState = { kind: 'file', path: target, content }
    changed.set(target, state)
    tree = { ...tree, files: withFiles(tree.files, [state]) }
  }
  if (ours.content !== null && !follow(top, tree).followed.has(path)) {
    change(top, withInclude(tree.files.get(top)?.content ?? '', `conf.d/${path.split('/').at(-1)}`))
  }
  const rivals = [...settings.keys()].flatMap(name => rivalsOf(name, path, follow(top, tree).entries, same))
  if (removing) {
    for (const [target, numbers] of linesByFile(rivals)) {
      change(target, commentOut(tree.files.get(target)?.content ?? '', numbers))
    }
    const options = tree.files.get(`${cluster.directory}/pg_ctl.conf`)
    const content = options?.content ?? ''
    const without = commandLineRows(found, [...settings.keys()], same).reduce(
      (text, { name }) => withoutOption(text, name) ?? text,
      content,
    )
    if (options && without !== content) change(options.path, without)
  }
  return { files: [...changed.values()], rivals, tree }
}

function ourFile({ path, cluster }: Found, settings: ReadonlyMap<string, string>): FileState {
  if (settings.size === 0) return absent(path)
  const lines = [...settings].map(([name, value]) => ({ name, value: quoteValue(value) }))
  const content = renderTemplate(new URL('./dropin.conf.ejs', import.meta.url), { settings: lines })
  // like its neighbours: the server must be able to read it, or its next restart fails
  const mode = holdsSecret(content) ? '0600' : '0644'
  return file(path, content, { mode, owner: cluster.owner, group: cluster.group })
}

// the whole conf.d is not included: it may hold files that were never in force
function withInclude(content: string, target: string): string {
  const end = content === '' || content.endsWith('\n') ? '' : '\n'
  return `${content}${end}include_if_exists = '${target}'\n`
}

function rivalsOf(
  name: string,
  path: string,
  entries: readonly Entry[],
  same: (name: string, value: string) => boolean,
): readonly Rival[] {
  const last = winner(entries, name)
  if (!last || last.path === path || same(name, last.value)) return []
  const own = entries.findLastIndex(entry => entry.name === name && entry.path === path)
  return [{ name, entries: entries.slice(own + 1).filter(entry => entry.name === name) }]
}

function linesByFile(rivals: readonly Rival[]): ReadonlyMap<string, readonly number[]> {
  const lines = new Map<string, number[]>()
  for (const { path, number } of rivals.flatMap(rival => rival.entries)) {
    lines.set(path, [...(lines.get(path) ?? []), number])
  }
  return lines
}

/** The files as they are, for those that are to be as desired. */
export function currentFiles({ tree }: Found, desired: readonly FileState[]): readonly FileState[] {
  return desired.map(({ path }) => tree.files.get(path) ?? absent(path))
}

/** Of files, those that are not UTF-8: a change would spoil their other bytes. */
export const binaryFiles = (files: readonly (FileRead | FileState)[]) =>
  files.filter(file => 'binary' in file && file.binary === true)
