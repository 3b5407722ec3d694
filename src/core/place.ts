import { posix } from 'node:path'
import { z } from 'zod'
import { readAccount, readGroup } from './account.ts'
import type { SakError } from './errors.ts'
import type { Stat } from './file.ts'
import type { Host } from './host.ts'
import { blocked } from './module.ts'

/** What stands at a path, and in which directory. */
export interface Place {
  readonly path: string
  /** Where a symbolic link at the path leads, as it says itself. */
  readonly link: string | null
  /** What is there, links followed. */
  readonly stat: Stat | null
  readonly parent: Stat | null
}

/** Looks at a path. One trip. */
export async function readPlace(host: Host, path: string): Promise<Place> {
  const [link, stat, parent] = await Promise.all([host.link(path), host.stat(path), host.stat(posix.dirname(path))])
  return { path, link, stat, parent }
}

/** What to do where a link stands in the place of a file. */
export const LinkRule = z
  .enum(['follow', 'refuse', 'replace'])
  .default('follow')
  .describe('Where a symbolic link stands at the path: write the file behind it, refuse, or put the file in its place')
export type LinkRule = z.infer<typeof LinkRule>

/** Why a file cannot be written at a place: no directory to hold it, something else there, a link against the rule. */
export function fileObstacles({ path, link, stat, parent }: Place, links: LinkRule): readonly SakError[] {
  const above = posix.dirname(path)
  if (!parent) {
    return [
      blocked(
        'no-such-path',
        `there is no directory ${above}`,
        `directory({ path: '${above}' }) before this task makes it`,
      ),
    ]
  }
  if (parent.type !== 'directory') return [blocked('refused', `${above} is not a directory`)]
  if (link !== null && links === 'replace') return []
  if (link !== null && links === 'refuse') {
    return [
      blocked(
        'refused',
        `${path} is a symbolic link to ${link}`,
        "links: 'follow' writes the file behind it, 'replace' puts the file in its place",
      ),
    ]
  }
  if (link !== null && !stat) {
    return [
      blocked(
        'refused',
        `${path} is a symbolic link to ${link}, where nothing is`,
        "links: 'replace' puts the file in its place",
      ),
    ]
  }
  return otherThan('file', path, stat)
}

/** Why something else than a file or directory, or the one in the place of the other, stands in the way. */
export function otherThan(wanted: 'file' | 'directory', path: string, stat: Stat | null): readonly SakError[] {
  if (!stat || stat.type === wanted) return []
  const found = { file: 'a file', directory: 'a directory', other: 'neither a file nor a directory' }[stat.type]
  return [blocked('refused', `${path} is ${found}`, 'look at what is there, and move it away')]
}

/** Users and groups that are to own something, and that the host does not know. */
export async function unknownOwners(
  host: Host,
  { owner, group }: { owner?: string; group?: string },
): Promise<readonly SakError[]> {
  const isKnown = async (name: string | undefined, read: typeof readAccount | typeof readGroup) =>
    name === undefined || name === 'root' || (await read(host, name)) !== undefined
  const [user, group_] = await Promise.all([isKnown(owner, readAccount), isKnown(group, readGroup)])
  return [
    ...(user
      ? []
      : [blocked('no-such-user', `there is no user ${owner} on the host`, 'user({ ... }) before this task makes it')]),
    ...(group_ ? [] : [blocked('no-such-user', `there is no group ${group} on the host`)]),
  ]
}
