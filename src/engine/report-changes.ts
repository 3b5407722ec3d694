import { isDeepStrictEqual } from 'node:util'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { inSync } from '../core/change.ts'
import { bytesOf, type DirectoryState, type FileRead, type FileState, isFile, type LinkState } from '../core/file.ts'
import type { ReportChange } from '../core/report.ts'
import type { KeyChange } from '../core/task.ts'
import { contentWithoutOldSecrets, withoutOldSecrets } from './old-secrets.ts'

/** A key's change as a report shows it: files one by one with their diffs, of records only the entries that differ. */
export function reportChanges({ key, before, after }: KeyChange): ReportChange[] {
  if (isFile(before) && isFile(after)) return fileChanges(key, before, after)
  if (isFiles(before) && isFiles(after)) {
    const paths = [...new Set([...before, ...after].map(file => file.path))]
    const at = (files: readonly FileState[], path: string): FileState =>
      files.find(file => file.path === path) ?? { kind: 'file', path, content: null }
    return paths.flatMap(path => {
      const [was, willBe] = [at(before, path), at(after, path)]
      return inSync(was, willBe) ? [] : fileChanges(key, was, willBe)
    })
  }
  if (isPlacedList(before) && isPlacedList(after) && after.length > 0) {
    const missing = after.filter(({ path }) => !before.some(was => was.path === path))
    return missing.flatMap(state => placeChanges(key, null, state))
  }
  if (isPlaced(before) || isPlaced(after)) return placeChanges(key, before, after)
  const known = withoutOldSecrets(before, after)
  if (isRecord(known) && isRecord(after)) return [{ key, ...differingEntries(known, after) }]
  return [{ key, before: known ?? null, after: after ?? null }]
}

/** Directories and links, made, removed, or in the place of something else. */
function placeChanges(key: string, before: unknown, after: unknown): ReportChange[] {
  const [was, willBe] = [placed(before), placed(after)]
  const path = was?.path ?? willBe?.path
  const change = {
    key,
    ...(path !== undefined && { path }),
    ...differingEntries(was?.shown ?? {}, willBe?.shown ?? {}),
  }
  const nothing = (file: FileState): FileState => ({ kind: 'file', path: file.path, content: null })
  return [
    change,
    ...(isFile(before) ? fileChanges(key, before, nothing(before)) : []),
    ...(isFile(after) ? fileChanges(key, nothing(after), after) : []),
  ]
}

function placed(state: unknown): { path: string; shown: Readonly<Record<string, unknown>> } | undefined {
  if (isFile(state)) {
    const { path, content, mode, owner, group } = state
    if (content === null) return { path, shown: {} }
    return { path, shown: { type: 'file', bytes: bytesOf(state).length, mode, owner, group } }
  }
  if (!isPlaced(state)) return undefined
  const { kind: type, path, ...rest } = state
  return { path, shown: { type, ...rest } }
}

function fileChanges(key: string, found: FileRead, after: FileState): ReportChange[] {
  const { path } = after
  const before = { ...found, content: contentWithoutOldSecrets(found.content, after.content) }
  const changes: ReportChange[] = []
  if (before.content !== after.content || before.binary !== after.binary) {
    const shown =
      before.hidden || after.hidden || before.binary || after.binary ? sizeOf : ({ content }: FileState) => content
    changes.push({ key, path, before: shown(before), after: shown(after), diff: fileDiff(path, before, after) })
  }
  if (before.content === null || after.content === null) return changes
  const stated = (['mode', 'owner', 'group'] as const).filter(
    name => after[name] !== undefined && after[name] !== before[name],
  )
  if (stated.length > 0) {
    const of = (file: FileState) => Object.fromEntries(stated.map(name => [name, file[name] ?? null]))
    changes.push({ key, path, before: of(before), after: of(after) })
  }
  return changes
}

/** What is told of a content that is not shown. */
const sizeOf = (file: FileState) => (file.content === null ? null : { bytes: bytesOf(file).length })

function fileDiff(path: string, before: FileRead, after: FileState): string {
  const sizes = [before, after].map(file => sizeOf(file)?.bytes ?? 'none').join(' to ')
  if (before.hidden || after.hidden)
    return `${path} differs (${sizes} bytes; not shown, because not everybody may read it)\n`
  if (before.binary || after.binary) return `Binary file ${path} differs (${sizes} bytes)\n`
  const from = before.content === null ? '/dev/null' : path
  const to = after.content === null ? '/dev/null' : path
  const [was, willBe] = [before.content ?? '', after.content ?? '']
  const maxEditLength = mostEdits(was, willBe)
  const patch = createTwoFilesPatch(from, to, was, willBe, undefined, undefined, {
    context: 3,
    maxEditLength,
    headerOptions: FILE_HEADERS_ONLY,
  })
  return patch ?? tooMany(path, was, willBe, maxEditLength)
}

/**
 * Most lines taken away and added, together. To find them takes steps as many as they are, times as many again or as the shorter file
 * has lines, and meanwhile no other host is answered: 2000 of 5 MB take 0.2 s.
 */
const mostEdits = (was: string, willBe: string) =>
  Math.max(2000, Math.floor(2_000_000 / Math.min(linesOf(was).length, linesOf(willBe).length)))

const linesOf = (text: string) => text.split('\n')

/** What is told of files that differ in more lines: where they begin to differ, and from where on they are the same again. */
function tooMany(path: string, before: string, after: string, most: number): string {
  const [was, willBe] = [linesOf(before), linesOf(after)]
  const shorter = Math.min(was.length, willBe.length)
  let first = 0
  while (first < shorter && was[first] === willBe[first]) first += 1
  let same = 0
  while (same < shorter - first && was.at(-1 - same) === willBe.at(-1 - same)) same += 1
  const range = ({ length }: readonly string[]) => `${first + 1} to ${length - same}`
  return `${path} differs in more than ${most} lines, from which no diff is made: lines ${range(was)} become lines ${range(willBe)}. The report as JSON has both\n`
}

function differingEntries(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>) {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const differing = keys.filter(key => !isDeepStrictEqual(before[key], after[key]))
  const of = (record: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(differing.map(key => [key, record[key] ?? null]))
  return { before: of(before), after: of(after) }
}

const isFiles = (value: unknown): value is readonly FileState[] => Array.isArray(value) && value.every(isFile)
const isPlaced = (value: unknown): value is DirectoryState | LinkState =>
  isRecord(value) && (value.kind === 'directory' || value.kind === 'link') && typeof value.path === 'string'
const isPlacedList = (value: unknown): value is readonly (DirectoryState | LinkState)[] =>
  Array.isArray(value) && value.every(isPlaced)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
