import { createHash } from 'node:crypto'

/** A file as it is on a host or as it should be. `content: null` means that there is no such file. */
export interface FileState {
  readonly kind: 'file'
  readonly path: string
  readonly content: string | null
  /** Four octal digits, `'0644'`. In a desired state, left out where any will do. */
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  /** Set where the content is not UTF-8: `content` then holds one character a byte. */
  readonly binary?: true
  /** In a desired state: not everybody who reads a report may read the file, so reports do not show what is in it. */
  readonly hidden?: boolean
}

/** A directory as it is on a host or as it should be. */
export interface DirectoryState {
  readonly kind: 'directory'
  readonly path: string
  readonly mode: string
  readonly owner: string
  readonly group: string
}

/** A symbolic link as it is on a host or as it should be. `target` as the link says it: it may be relative. */
export interface LinkState {
  readonly kind: 'link'
  readonly path: string
  readonly target: string
}

/** What nobody can foresee: whatever is at a path, or below it, once a program has run. */
export interface UnknownState {
  readonly kind: 'unknown'
  readonly path: string
}

/** What `stat` says of a path, links followed. */
export interface Stat {
  readonly type: 'file' | 'directory' | 'other'
  readonly mode: string
  readonly owner: string
  readonly group: string
  readonly size: number
  /** Bytes allocated on disk: less than `size` where the file has holes. */
  readonly allocated: number
  /** Seconds since 1970, with fractions. */
  readonly mtime: number
  /** Seconds since 1970, with fractions: the last change of content or attributes, which nobody can set back. */
  readonly ctime: number
  /** Where the path leads, if it is a symbolic link. */
  readonly realPath?: string
}

/** A file as read from a host. `stat` is absent where the file is. */
export interface FileRead extends FileState {
  readonly stat?: Stat
  /** Of the content as it is on the host, where a secret in it stands here as a token: see `sha256Of`. */
  readonly sha256?: string
}

/** The desired state of a file. Owner and group default to root, mode to 0644. */
export function file(
  path: string,
  content: string,
  attributes: { mode?: string; owner?: string; group?: string } = {},
): FileState & { readonly content: string } {
  return { kind: 'file', path, content, mode: '0644', owner: 'root', group: 'root', ...attributes }
}

/** The desired state "there is no such file". */
export function absent(path: string): FileState {
  return { kind: 'file', path, content: null }
}

/** The bytes of a file as its `content`: text where they are UTF-8, else one character a byte. */
export function contentOf(bytes: Uint8Array): Pick<FileState, 'binary'> & { readonly content: string } {
  try {
    return { content: utf8.decode(bytes) }
  } catch {
    return { content: Buffer.from(bytes).toString('latin1'), binary: true }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes of a file's content. */
export function bytesOf({ content, binary }: Pick<FileState, 'content' | 'binary'>): Uint8Array {
  return Buffer.from(content ?? '', binary ? 'latin1' : 'utf8')
}

/** The SHA-256, in hexadecimal, of a file as it is on the host. */
export function sha256Of(file: FileRead): string {
  return file.sha256 ?? createHash('sha256').update(bytesOf(file)).digest('hex')
}

/** Whether a value is a file state. */
export function isFile(value: unknown): value is FileState {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'file' && 'path' in value
}

/** Whether a file is as desired: the content, and of mode, owner and group those that are stated. */
export function sameFile(current: FileRead, desired: FileState): boolean {
  if (current.content !== desired.content || current.binary !== desired.binary) return false
  if (desired.content === null) return true
  const same = (key: 'mode' | 'owner' | 'group') => desired[key] === undefined || desired[key] === current[key]
  return same('mode') && same('owner') && same('group')
}
