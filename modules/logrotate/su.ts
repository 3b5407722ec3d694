import { blocked, type SakError } from 'sak-reconcile'
import { directoriesOf, filesOf, type LogEntry } from './logs.ts'
import type { Stanza } from './options.ts'
import { copiesAndTruncates, type Su } from './render.ts'

/** Who is to rotate a stanza's logs, and what stands in the way. */
export interface Rotator {
  readonly su: Su
  readonly blocked: readonly SakError[]
}

/**
 * logrotate skips logs in a directory that others than root may write to, unless the stanza says by whom to rotate; and
 * its manual wants `su` wherever an unprivileged user has the directory, who could otherwise lead root astray with links.
 */
export function rotatorOf(stanza: Stanza, entries: readonly LogEntry[]): Rotator {
  if (stanza.su === false) return { su: undefined, blocked: [] }
  if (stanza.su !== 'auto') return { su: stanza.su, blocked: [] }
  const directories = stanza.paths.flatMap(glob => directoriesOf(glob, entries))
  const open = directories.find(directory => directory.owner === 'root' && (directory.mode & 0o002) !== 0)
  if (open) return refused(`anyone may write to ${open.path}, the directory of these logs`, `chmod o-w ${open.path}`)
  const nameless = directories.find(({ owner, group }) => owner === 'UNKNOWN' || group === 'UNKNOWN')
  if (nameless) {
    return refused(
      `${nameless.path} belongs to a user or group without a name, whom logrotate cannot become`,
      'chown it',
    )
  }
  const owners = new Map(directories.map(directory => [needed(directory), directory]))
  if (owners.size > 1) {
    const places = [...owners].map(([su, { path }]) => `${path} (${su || 'root'})`).join(', ')
    return refused(
      `the logs of a stanza lie in directories of several owners, but one user rotates them all: ${places}`,
      'make a stanza for each owner',
    )
  }
  const [first] = directories
  if (first === undefined || needed(first) === '') return { su: undefined, blocked: [] }
  const su = { user: first.owner, group: first.group }
  return { su, blocked: unwritable(stanza, su, entries) }
}

/** `user group` where the directory is not root's alone, else nothing. */
function needed({ mode, owner, group }: LogEntry): string {
  const shared = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && group !== 'root')
  return owner === 'root' && !shared ? '' : `${owner} ${group}`
}

function unwritable(stanza: Stanza, su: NonNullable<Su>, entries: readonly LogEntry[]): readonly SakError[] {
  if (!copiesAndTruncates(stanza) || su.user === 'root') return []
  const log = stanza.paths.flatMap(glob => filesOf(glob, entries)).find(entry => !mayWrite(su, entry))
  if (!log) return []
  return refused(
    `${log.path} belongs to ${log.owner}, but its directory to ${su.user}, who may not empty it`,
    `chown ${su.user} ${log.path}, or say who rotates: su: { user: '${log.owner}', group: '${log.group}' }`,
  ).blocked
}

function mayWrite({ user, group }: NonNullable<Su>, { mode, owner, group: logGroup }: LogEntry): boolean {
  if (owner === user) return (mode & 0o200) !== 0
  if (logGroup === group) return (mode & 0o020) !== 0
  return (mode & 0o002) !== 0
}

function refused(message: string, hint: string): Rotator {
  return { su: undefined, blocked: [blocked('refused', message, hint)] }
}
