import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { selectHosts } from '../../src/core/host-pattern.ts'
import { loadInventory } from '../../src/loading/inventory.ts'
import { asAnsibleView, inventoryCases, isObject } from './inventory-fixtures.ts'

const cases = await inventoryCases()

t.test('every recorded inventory is read as Ansible reads it', async t => {
  t.ok(cases.length >= 36, 'the records are there')
  for (const { name, directory, sources } of cases) {
    const inventory = await loadInventory(sources, directory)
    t.strictSame(asAnsibleView(inventory), JSON.parse(await readFile(join(directory, 'expected.json'), 'utf8')), name)
  }
})

t.test('every recorded pattern selects what Ansible selects', async t => {
  const patterns = cases.find(one => one.name === 'patterns')
  if (!patterns) throw new Error('no case for patterns')
  const inventory = await loadInventory(patterns.sources, patterns.directory)
  const expected: unknown = JSON.parse(await readFile(join(patterns.directory, 'expected-patterns.json'), 'utf8'))
  if (!isObject(expected)) throw new Error('no record of patterns')
  for (const [pattern, hosts] of Object.entries(expected)) {
    t.strictSame(
      selectHosts(inventory, pattern)
        .map(host => host.name)
        .sort(),
      hosts,
      pattern,
    )
  }
})
