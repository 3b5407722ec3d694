import { basename, dirname } from 'node:path'
import picomatch from 'picomatch'
import { z } from 'zod'

/** A log or a glob of logs. What it refuses would end the header of a stanza early, or be read in another sense. */
export const LogGlob = z
  .string()
  .regex(/^\/[^\p{Cc}]*[^\p{Cc}/]$/u, { error: 'expected an absolute path or glob such as "/var/www/shop/logs/*.log"' })
  .regex(/^[^{}"'\\]*$/, {
    error: 'braces, quotes and backslashes cannot be written in a logrotate path: use the globs *, ? and []',
  })
  .refine(path => !/\/\.{1,2}(\/|$)/.test(path), { error: 'expected a path without "." or ".." parts' })

/** Whether a path holds a glob. */
export function isGlob(path: string): boolean {
  return /[*?[]/.test(path)
}

/** Whether a path matches a glob as glob(3) reads it: no braces, no `**`, dotfiles only by name. */
export function matches(path: string, glob: string): boolean {
  if (path === glob) return true
  try {
    // picomatch knows only [^a] for [!a]
    const glob3 = glob.replaceAll('[!', '[^')
    return picomatch.isMatch(path, glob3, { noextglob: true, nobrace: true, noglobstar: true, nonegate: true })
  } catch {
    // picomatch refuses globs of more than 64 KiB
    return false
  }
}

/** The parts of a stanza that decide what a rotated log is called. */
export interface Naming {
  readonly paths: readonly string[]
  readonly olddir?: string | undefined
  readonly start?: number | undefined
  readonly dateext?: boolean | undefined
  readonly extension?: string | undefined
  readonly addextension?: string | undefined
}

/**
 * The glob of a stanza, if any, that matches what the stanza's own rotation leaves: logrotate would then rotate the
 * rotated logs again, without end.
 */
export function globOfItsOwnRotations(naming: Naming): string | undefined {
  const rotated = naming.paths.map(path => rotatedName(sampleOf(path), naming))
  return naming.paths.find(path => rotated.some(name => matches(name, path) || matches(`${name}.gz`, path)))
}

/** A path that a glob matches. */
function sampleOf(glob: string): string {
  return glob.replace(/\[[!^]?([^\]])[^\]]*\]/g, '$1').replace(/[*?]/g, 'x')
}

function rotatedName(log: string, naming: Naming): string {
  const { extension, addextension, olddir } = naming
  const kept = [extension, addextension].find(ending => ending !== undefined && log.endsWith(ending))
  const stem = kept === undefined ? log : log.slice(0, -kept.length)
  const number = naming.dateext ? '-20261123' : `.${naming.start ?? 1}`
  const name = `${stem}${number}${addextension ?? kept ?? ''}`
  if (olddir === undefined) return name
  return `${olddir.startsWith('/') ? olddir : `${dirname(log)}/${olddir}`}/${basename(name)}`
}
