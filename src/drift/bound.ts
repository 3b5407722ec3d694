import type { DriftChange } from '../core/drift.ts'

/** Most characters of a value, and of a diff, that are kept and told. */
const most = { value: 2000, diff: 8000 } as const

/** A change that fits in a history and in a message. */
export function boundedChange({ before, after, diff }: DriftChange): DriftChange {
  const change = { before: boundedValue(before), after: boundedValue(after) }
  return diff === undefined ? change : { ...change, diff: cut(diff, most.diff) }
}

function boundedValue(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null)
  return text.length <= most.value ? (value ?? null) : cut(text, most.value)
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const whole = text.slice(0, length)
  const end = whole.lastIndexOf('\n') + 1 || whole.length
  return `${whole.slice(0, end)}… ${text.length - end} more characters\n`
}
