import { createHash } from 'node:crypto'
import type { DriftChange, DriftItem } from '../core/drift.ts'

/** Where an item is: the parts of it that stay the same however it differs. */
export type Place = Pick<DriftItem, 'subject' | 'host' | 'task' | 'key' | 'path' | 'entry'>

/** The digest of a place. */
export function placeOf({ subject, host, task, key, path, entry }: Place): string {
  return digest([subject, host, task, key, path ?? null, entry ?? null])
}

/**
 * The digest of a place and what differs there. Of a file only the lines that differ count: an edit elsewhere in it, which moves
 * them, is not another drift.
 */
export function fingerprintOf(place: string, change: DriftChange | undefined, value: string | undefined): string {
  const lines = change?.diff?.split('\n').filter(line => /^[-+]/.test(line) && !/^(---|\+\+\+) /.test(line))
  return digest([place, lines ?? [change?.before ?? null, change?.after ?? null], value ?? null])
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
