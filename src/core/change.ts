import { isDeepStrictEqual } from 'node:util'
import type { SakError } from './errors.ts'
import { isFile, sameFile } from './file.ts'

/** Stands in `current` for what may not be read: the task is `blocked`, the other keys are still shown. */
export interface Unreadable {
  readonly kind: 'unreadable'
  readonly error: SakError
}

export function isUnreadable(value: unknown): value is Unreadable {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'unreadable'
}

/** One key that is not as it should be. */
export interface Change<C = unknown, D = unknown> {
  readonly before: C
  readonly after: D
}

/** The keys that differ; a key in sync is absent. */
export type Changes<C extends object, D extends object> = {
  readonly [K in keyof C & keyof D]?: Change<Exclude<C[K], Unreadable>, D[K]>
}

/** What `check` answers: what is there and what should be, under the same keys. */
export interface Checked<C extends object, D extends { [K in keyof C]: unknown }> {
  readonly current: C
  readonly desired: D
  /** Reasons why the task may not be applied (an override that was not to be removed, say). Its changes are still shown. */
  readonly blocked?: readonly SakError[]
}

/**
 * Whether a current value is as desired: files by content and stated attributes, lists of files one by one, all else by
 * deep equality.
 */
export function inSync(current: unknown, desired: unknown): boolean {
  if (isFile(current) && isFile(desired)) return current.path === desired.path && sameFile(current, desired)
  if (Array.isArray(current) && Array.isArray(desired)) {
    return current.length === desired.length && current.every((value, index) => inSync(value, desired[index]))
  }
  return isDeepStrictEqual(current, desired)
}

/** The default `diff`: key by key, leaving out what is in sync and what may not be read. */
export function diffByKey<C extends object, D extends { [K in keyof C]: unknown }>(
  { current, desired }: Checked<C, D>,
  same: (current: unknown, desired: unknown, key: string) => boolean = inSync,
): Changes<C, D> {
  const changes: { [K in keyof C & keyof D]?: Change<Exclude<C[K], Unreadable>, D[K]> } = {}
  for (const key in current) {
    const before = current[key]
    const after = desired[key]
    if (!isReadable(before) || same(before, after, key)) continue
    changes[key] = { before, after }
  }
  return changes
}

function isReadable<T>(value: T): value is Exclude<T, Unreadable> {
  return !isUnreadable(value)
}
