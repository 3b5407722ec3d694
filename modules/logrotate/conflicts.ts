import { blocked, type FileRead, type FileState, file, type SakError } from 'sak-reconcile'
import { filesOf, type LogEntry } from './logs.ts'
import type { Stanza } from './options.ts'
import { type ParsedStanza, type Pattern, parseConfig, withoutPatterns } from './parse.ts'
import { isGlob, matches } from './paths.ts'

/** A stanza of another file that rotates logs that we rotate: logrotate keeps the one it reads first and drops the other. */
export interface Conflict {
  readonly file: FileRead
  readonly stanza: ParsedStanza
  readonly pattern: Pattern
  /** Our path or glob that meets it. */
  readonly ours: string
}

/** Finds what else rotates our logs. `earlier` says whether a file is read before ours. */
export function findConflicts(
  stanzas: readonly Stanza[],
  others: readonly FileRead[],
  entries: readonly LogEntry[],
  earlier: (path: string) => boolean,
): readonly Conflict[] {
  return others.flatMap(other =>
    parseConfig(other.content ?? '').stanzas.flatMap(stanza => {
      const theirsYields = earlier(other.path) ? () => false : (ours: Stanza) => ours.ignoreduplicates === true
      return stanza.patterns.flatMap(pattern => {
        const ours = stanzas
          .filter(each => !theirsYields(each))
          .flatMap(each => each.paths)
          .find(glob => meet(glob, pattern.glob, entries))
        return ours === undefined ? [] : [{ file: other, stanza, pattern, ours }]
      })
    }),
  )
}

function meet(ours: string, theirs: string, entries: readonly LogEntry[]): boolean {
  if (ours === theirs) return true
  if (!isGlob(theirs) && matches(theirs, ours)) return true
  if (!isGlob(ours) && matches(ours, theirs)) return true
  return filesOf(ours, entries).some(entry => matches(entry.path, theirs))
}

/** Whether all that a conflicting pattern can mean is ours, so that it can go without losing other logs. */
function isCovered({ pattern, ours }: Conflict): boolean {
  return pattern.glob === ours || (!isGlob(pattern.glob) && matches(pattern.glob, ours))
}

/** The files of others without what is ours. */
export function withoutConflicts(conflicts: readonly Conflict[]): readonly FileState[] {
  const covered = conflicts.filter(isCovered)
  return [...new Set(covered.map(conflict => conflict.file))].map(other => {
    const content = withoutOurs(
      other.content ?? '',
      covered.filter(conflict => conflict.file === other),
    )
    return file(other.path, content, {
      ...(other.mode && { mode: other.mode }),
      ...(other.owner && { owner: other.owner }),
      ...(other.group && { group: other.group }),
    })
  })
}

// From the last stanza to the first, so that what is left to do stays where it was.
function withoutOurs(text: string, conflicts: readonly Conflict[]): string {
  const stanzas = [...new Set(conflicts.map(conflict => conflict.stanza))].sort((a, b) => b.start - a.start)
  return stanzas.reduce((left, stanza) => {
    const unwanted = conflicts.filter(conflict => conflict.stanza === stanza).map(conflict => conflict.pattern)
    return withoutPatterns(left, stanza, unwanted)
  }, text)
}

/** What stands in the way: all conflicts, or with `overrides: 'remove'` those that cannot be removed. */
export function conflictErrors(
  conflicts: readonly Conflict[],
  overrides: 'report' | 'remove',
  name: string,
): readonly SakError[] {
  return conflicts
    .filter(conflict => overrides === 'report' || !isCovered(conflict))
    .map(conflict => {
      const place = `${conflict.file.path}:${conflict.stanza.line}`
      const hint = isCovered(conflict)
        ? `take ${conflict.pattern.glob} out of ${place}, or let this task do it: overrides: 'remove'`
        : `narrow one of the two; or let this file be read first and win: a name that sorts before "${baseName(conflict)}" ` +
          `instead of "${name}", and ignoreduplicates: true`
      return blocked(
        'override',
        `${place} rotates ${conflict.pattern.glob} too, as ${conflict.ours} does here: logrotate would drop one of them`,
        hint,
      )
    })
}

function baseName({ file }: Conflict): string {
  return file.path.slice(file.path.lastIndexOf('/') + 1)
}
