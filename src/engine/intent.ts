import { digestOf } from '../core/digest.ts'
import type { Intent } from '../core/drift.ts'
import type { TaskResult } from './task-result.ts'

/** What tasks were meant to do, by label; of those whose check came so far. */
export function intentsOf(results: readonly TaskResult[]): Readonly<Record<string, Intent>> {
  const known = results.flatMap(({ task, assessment }) => {
    if (!assessment) return []
    const keys = Object.entries(assessment.desired).map(([key, value]) => [key, digestOf(value)] as const)
    return [[task.label, { params: task.paramsDigest, desired: Object.fromEntries(keys) }] as const]
  })
  return Object.fromEntries(known)
}
