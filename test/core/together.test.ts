import t from 'tap'
import { z } from 'zod'
import { defineModule } from '../../src/core/module.ts'
import { definePlaybook } from '../../src/core/playbook.ts'
import { type TaskList, together } from '../../src/core/task-list.ts'

const thing = defineModule({
  name: 'thing',
  description: 'A thing.',
  params: z.strictObject({ name: z.string() }),
  impact: 'none',
  owns: ({ name }) => [name],
  check: async () => ({ current: {}, desired: {} }),
  apply: () => [],
})
const named = (name: string) => thing({ name }, { label: name })
const tasksOf = (tasks: TaskList) =>
  definePlaybook({ name: 'p', tasks: () => tasks })().tasksFor({ name: 'web1', groups: [], vars: {} })

t.test('together stands in a playbook as a list does', async t => {
  const tasks = tasksOf([named('a'), together([named('b'), false, [named('c')]]), [together([named('d')])], named('e')])
  t.same(
    tasks.map(task => task.label),
    ['a', 'b', 'c', 'd', 'e'],
  )
  const [a, b, c, d, e] = tasks.map(task => task.transaction)
  t.same([a, e], [undefined, undefined])
  t.ok(b !== undefined && b === c && d !== undefined && d !== b)
})

t.test('a list within a list goes together with all', async t => {
  const transactions = tasksOf([together([named('a'), together([named('b'), named('c')])])]).map(
    task => task.transaction,
  )
  t.equal(new Set(transactions).size, 1)
})

t.test('what stands in the place of one of them goes together with the others', async t => {
  const playbook = definePlaybook({ name: 'p', tasks: () => [together([named('a'), named('b')])] })()
  const changed = playbook.replace('a', task => [task, named('c')]).tasksFor({ name: 'web1', groups: [], vars: {} })
  t.same(
    changed.map(task => task.label),
    ['a', 'c', 'b'],
  )
  t.equal(new Set(changed.map(task => task.transaction)).size, 1)
})

t.test('what was taken apart is refused, for it would not be one transaction', async t => {
  const [a, b] = tasksOf([together([named('a'), named('b')])])
  t.throws(() => tasksOf([a, named('between'), b]), { code: 'invalid-playbook', message: /between "b" and/ })
  // @ts-expect-error: a list is wanted
  t.throws(() => together(named('a')), { code: 'invalid-playbook', hint: 'together([taskA, taskB])' })
})
