/** What a module adopts from a host that was recorded in sync is in sync there, so that a team starts from zero drift. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as modules from 'sak-reconcile/modules'
import t from 'tap'
import type { Task } from '../src/core/task.ts'
import { Case } from '../src/testing/cases.ts'
import { type FakeHostState, fakeHost } from '../src/testing.ts'

const fixtures = join(import.meta.dirname, '../fixtures')
const able = Object.values(modules).filter(module => module.adopt !== undefined)

/** What differs; nothing where the recording is of another task, and cannot tell. */
async function judge(task: Task, host: FakeHostState): Promise<readonly string[]> {
  try {
    const { changes, blocked } = await task.assess(fakeHost(host))
    const other = [...changes.map(({ key }) => key), ...blocked.map(({ message }) => message)]
    return other.length > 0 ? other : ['in sync']
  } catch (error) {
    if (error instanceof Error && /the fake host has no answer/.test(error.message)) return []
    throw error
  }
}

function recordedInSync(name: string) {
  const folder = join(fixtures, name)
  const cases = existsSync(folder) ? readdirSync(folder) : []
  return cases
    .map(each => ({ each, ...Case.parse(JSON.parse(readFileSync(join(folder, each, 'case.json'), 'utf8'))) }))
    .filter(({ each, expect }) => /in-sync/.test(each) && expect.changes.length + expect.blocked.length === 0)
}

for (const module of able) {
  for (const { each, host } of recordedInSync(module.moduleName)) {
    t.test(`${module.moduleName}, ${each}`, async t => {
      const found = (await module.adopt?.(fakeHost(host))) ?? []
      t.not(typeof found, 'string', String(found))
      const judged = await Promise.all([found].flat().map(input => judge(module.parse(input), host)))
      t.same([...new Set(judged.flat())], ['in sync'], JSON.stringify(found))
    })
  }
}
