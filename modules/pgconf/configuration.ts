import { posix } from 'node:path'
import type { FileRead, FileState, Host } from 'sak-reconcile'
import { type Line, parseLines } from './parse.ts'

/** A line of the configuration and the file in which it stands. */
export interface Entry extends Line {
  readonly path: string
}

/** The files of a configuration: what is known of them, and which directories have been listed. */
export interface Tree {
  readonly files: ReadonlyMap<string, FileState>
  readonly listed: ReadonlySet<string>
}

export interface Configuration {
  /** All settings in the order in which PostgreSQL reads them: the last of a name wins. */
  readonly entries: readonly Entry[]
  /** The files that were followed. */
  readonly followed: ReadonlySet<string>
  /** What is included and not known yet. */
  readonly unknown: { readonly files: readonly string[]; readonly directories: readonly string[] }
}

// PostgreSQL's own limit (guc-file.l)
const deepest = 10

/** Follows a configuration from its first file through its includes. */
export function follow(top: string, tree: Tree): Configuration {
  const entries: Entry[] = []
  const followed = new Set<string>()
  const files: string[] = []
  const directories: string[] = []
  const visit = (path: string, depth: number): void => {
    const content = tree.files.get(path)?.content
    if (content === undefined) files.push(path)
    if (content == null || depth > deepest) return
    followed.add(path)
    for (const line of parseLines(content)) {
      const target = posix.resolve(posix.dirname(path), line.value)
      if (line.name === 'include' || line.name === 'include_if_exists') visit(target, depth + 1)
      else if (line.name !== 'include_dir') entries.push({ ...line, path })
      else if (!tree.listed.has(target)) directories.push(target)
      else for (const file of membersOf(target, tree)) visit(file, depth + 1)
    }
  }
  visit(top, 0)
  return { entries, followed, unknown: { files, directories } }
}

/** The files that `include_dir` takes from a directory, in its order. */
function membersOf(directory: string, { files }: Tree): readonly string[] {
  return [...files.keys()]
    .filter(path => posix.dirname(path) === directory && /^[^.].*\.conf$/.test(posix.basename(path)))
    .filter(path => files.get(path)?.content !== null)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/** Reads what a configuration includes beyond what is known, a trip for each further depth. */
export async function completeTree(host: Host, top: string, known: Tree): Promise<Tree> {
  let tree = known
  for (let depth = 0; depth <= deepest; depth++) {
    const { files, directories } = follow(top, tree).unknown
    if (files.length + directories.length === 0) break
    const [read, listed] = await Promise.all([
      Promise.all(files.map(path => host.file(path))),
      directories.length > 0 ? host.files(directories.map(directory => `${directory}/*.conf`)) : [],
    ])
    tree = {
      files: withFiles(tree.files, [...read, ...listed]),
      listed: new Set([...tree.listed, ...directories]),
    }
  }
  return tree
}

/** The same files with some of them as given. */
export function withFiles(
  files: ReadonlyMap<string, FileState>,
  given: readonly (FileRead | FileState)[],
): ReadonlyMap<string, FileState> {
  return new Map([...files, ...given.map((file): [string, FileState] => [file.path, file])])
}

/** The value that wins for a setting. */
export function winner(entries: readonly Entry[], name: string): Entry | undefined {
  return entries.findLast(entry => entry.name === name)
}

/** A file's content with some of its lines made comments; every other byte stays. */
export function commentOut(content: string, numbers: readonly number[]): string {
  return content
    .split('\n')
    .map((line, index) => (numbers.includes(index + 1) ? `#${line}` : line))
    .join('\n')
}
