/** What a module adopts from a host that was recorded in sync is in sync there, so that a team starts from zero drift. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as modules from 'sak-reconcile/modules'
import t from 'tap'
import { Case } from '../src/testing/cases.ts'
import { fakeHost } from '../src/testing.ts'

const fixtures = join(import.meta.dirname, '../fixtures')
const able = Object.values(modules).filter(module => module.adopt !== undefined)

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
      for (const input of found) {
        const { changes, blocked } = await module.parse(input).assess(fakeHost(host))
        t.same({ changes, blocked }, { changes: [], blocked: [] }, JSON.stringify(input))
      }
    })
  }
}
