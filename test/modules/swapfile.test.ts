import { fileURLToPath } from 'node:url'
import t from 'tap'
import { swapfile } from '../../modules/swapfile/module.ts'
import { runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/swapfile', import.meta.url)), swapfile)
  t.ok(cases.length >= 20)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})
