import { isDeepStrictEqual } from 'node:util'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { inSync } from '../core/change.ts'
import { type FileRead, type FileState, isFile } from '../core/file.ts'
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
  const known = withoutOldSecrets(before, after)
  if (isRecord(known) && isRecord(after)) return [{ key, ...differingEntries(known, after) }]
  return [{ key, before: known ?? null, after: after ?? null }]
}

function fileChanges(key: string, found: FileRead, after: FileState): ReportChange[] {
  const { path } = after
  const before = { ...found, content: contentWithoutOldSecrets(found.content, after.content) }
  const changes: ReportChange[] = []
  if (before.content !== after.content || before.binary) {
    changes.push({ key, path, before: before.content, after: after.content, diff: fileDiff(path, before, after) })
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

function fileDiff(path: string, before: FileRead, after: FileState): string {
  if (before.binary) return `Binary file ${path} differs\n`
  const from = before.content === null ? '/dev/null' : path
  const to = after.content === null ? '/dev/null' : path
  const patch = createTwoFilesPatch(from, to, before.content ?? '', after.content ?? '', undefined, undefined, {
    context: 3,
    timeout: 2000,
    headerOptions: FILE_HEADERS_ONLY,
  })
  return patch ?? `${path} differs in more lines than can be shown\n`
}

function differingEntries(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>) {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const differing = keys.filter(key => !isDeepStrictEqual(before[key], after[key]))
  const of = (record: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(differing.map(key => [key, record[key] ?? null]))
  return { before: of(before), after: of(after) }
}

const isFiles = (value: unknown): value is readonly FileState[] => Array.isArray(value) && value.every(isFile)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
