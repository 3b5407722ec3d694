import type { z } from 'zod'
import { type Change, diffByKey, isUnreadable } from './change.ts'
import { isSakError, type SakError } from './errors.ts'
import type { Host } from './host.ts'
import type { ModuleDefinition } from './module.ts'
import { moduleBug } from './module-bug.ts'
import type { Step } from './step.ts'
import { isStep } from './step.ts'
import type { Assessment, Settle } from './task.ts'

interface Definition<Schema extends z.ZodType, C extends object, D extends { [K in keyof C]: unknown }>
  extends Pick<ModuleDefinition<Schema, C, D>, 'name' | 'check' | 'diff' | 'apply'> {
  definedAt(): string | undefined
}

/** Runs the three functions of a module, and holds what they answer to their contract: types are not checked where it is loaded. */
export async function assess<Schema extends z.ZodType, C extends object, D extends { [K in keyof C]: unknown }>(
  definition: Definition<Schema, C, D>,
  { params, host, settle }: { params: z.output<Schema>; host: Host; settle: Settle },
): Promise<Assessment> {
  const { name: module, definedAt } = definition
  const bug: Bug = (wrong, more) => moduleBug({ module, definedAt }, wrong, more)
  const found = await definition.check(host, params)
  const wrong = wrongAnswer(found)
  if (wrong !== undefined) throw bug(wrong)
  const checked = { ...found, desired: settle(found.desired) }
  const changes = orBug(bug, () => definition.diff?.(checked, params) ?? diffByKey(checked))
  const list = Object.entries<Change | undefined>(changes).flatMap(([key, change]) =>
    change === undefined ? [] : [{ key, before: change.before, after: change.after }],
  )
  const values: unknown[] = Object.values(checked.current)
  const blocked = distinct([...(checked.blocked ?? []), ...values.filter(isUnreadable).map(value => value.error)])
  const steps =
    list.length > 0 && blocked.length === 0
      ? stepsOf(bug, () => definition.apply(changes, params, checked.current), {
          keys: Object.keys(checked.current),
          changed: list.map(({ key }) => key),
        })
      : []
  return { current: checked.current, desired: checked.desired, changes: list, blocked, steps: settle(steps) }
}

type Bug = (wrong: unknown, more?: string) => SakError

/** What a pure function of the author answers. */
function orBug<T>(bug: Bug, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw isSakError(error) ? error : bug(error)
  }
}

/** What is wrong with the answer of a check. A key that only one side has would never be compared, and so be called in sync. */
function wrongAnswer(answer: unknown): string | undefined {
  if (
    !isObject(answer) ||
    !('current' in answer && isObject(answer.current)) ||
    !('desired' in answer && isObject(answer.desired))
  ) {
    return `check must answer { current, desired }, and answers ${shown(answer)}`
  }
  const { current, desired } = answer
  const one = [...Object.keys(current), ...Object.keys(desired)].find(key => !(key in current && key in desired))
  if (one !== undefined) return `check answers "${one}" in only one of current and desired`
  for (const [side, values] of Object.entries({ current, desired })) {
    const unread = Object.entries(values).find(([, value]) => value instanceof Promise)
    if (unread) return `check answers a promise as ${side}.${unread[0]}: there is an await missing`
  }
  return undefined
}

function stepsOf(
  bug: Bug,
  apply: () => unknown,
  { keys, changed }: { keys: readonly string[]; changed: readonly string[] },
): Step[] {
  const answer = orBug(error => bug(error, inSyncOf(error, keys, changed)), apply)
  if (!Array.isArray(answer)) throw bug(`apply must answer a list of steps, and answers ${shown(answer)}`)
  const items: unknown[] = answer
  return items.flatMap(item => {
    if (item === undefined || item === false) return []
    if (isStep(item)) return [item]
    throw bug(
      `apply answers ${shown(item)} where a step should be: write(...), remove(...), run([...]), service(...), with absolute paths`,
    )
  })
}

/** A key in sync is no change: an author who forgot that is told. */
function inSyncOf(error: unknown, keys: readonly string[], changed: readonly string[]): string {
  const inSync = keys.filter(key => !changed.includes(key))
  if (!(error instanceof TypeError) || inSync.length === 0) return ''
  return ` (${inSync.join(' and ')} in sync is no change: say \`${inSync[0]} && ...\`)`
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** What was answered instead, in a few words. */
function shown(value: unknown): string {
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return `{ ${Object.keys(value).join(', ')} }`
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Two keys may be unreadable for one reason, which is said once. */
function distinct(errors: readonly SakError[]): readonly SakError[] {
  return errors.filter(
    (error, index) =>
      errors.findIndex(({ code, message }) => code === error.code && message === error.message) === index,
  )
}
