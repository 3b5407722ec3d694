import t from 'tap'
import { z } from 'zod'
import { defineModule } from '../../src/core/module.ts'
import { describeOwned, partOf } from '../../src/core/owned.ts'
import { findShared } from '../../src/core/ownership.ts'

const owner = defineModule({
  name: 'owner',
  description: 'Owns what it is told to.',
  params: z.strictObject({ things: z.array(z.string()) }),
  impact: 'none',
  owns: ({ things }) => things,
  check: async () => ({ current: {}, desired: {} }),
  apply: () => [],
})

const shared = (...things: string[]) =>
  findShared(
    things.map((thing, index) => owner({ things: [thing] }, { label: String(index) })),
    () => true,
  )?.thing

t.test('a whole file and its parts have one owner each', async t => {
  const [web, other] = [partOf('/etc/hosts', 'block web'), partOf('/etc/hosts', 'block other')]
  t.equal(shared('/etc/hosts', '/etc/fstab'), undefined)
  t.equal(shared('/etc/hosts', '/etc/hosts'), '/etc/hosts')
  t.equal(shared('/etc/hosts', web), web, 'the whole is ruled already')
  t.equal(shared(web, other), undefined, 'other parts may be ruled by others')
  t.equal(shared(web, other, web), web)
  t.equal(shared(web, '/etc/hosts'), '/etc/hosts', 'a part is ruled already')
})

t.test('in words', async t => {
  t.equal(describeOwned('/etc/hosts'), '/etc/hosts')
  t.equal(describeOwned(partOf('/etc/hosts', 'the block "web"')), 'the block "web" of /etc/hosts')
})
