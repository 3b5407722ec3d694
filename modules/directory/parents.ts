import { posix } from 'node:path'
import { type DirectoryState, type Host, otherThan, type SakError } from 'sak-reconcile'

/** The directories above a path that are not there, topmost first, as they would be made: as the one that holds them. */
export async function missingParents(
  host: Host,
  path: string,
): Promise<{ parents: readonly DirectoryState[]; obstacles: readonly SakError[] }> {
  const above = ancestors(path)
  const stats = await Promise.all(above.map(each => host.stat(each)))
  const at = stats.findLastIndex(stat => stat !== null)
  const nearest = stats[at]
  if (!nearest) return { parents: [], obstacles: [] }
  const { owner, group } = nearest
  return {
    parents: above.slice(at + 1).map(each => ({ kind: 'directory', path: each, mode: '0755', owner, group })),
    obstacles: otherThan('directory', above[at] ?? '/', nearest),
  }
}

/** `/srv/a/b` has `/`, `/srv`, `/srv/a`. */
function ancestors(path: string): readonly string[] {
  const above = posix.dirname(path)
  return above === '/' ? ['/'] : [...ancestors(above), above]
}
