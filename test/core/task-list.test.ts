import t from 'tap'
import { z } from 'zod'
import { defineModule } from '../../src/core/module.ts'
import { definePlaybook } from '../../src/core/playbook.ts'
import type { Task } from '../../src/core/task.ts'
import { type TaskList, tasks } from '../../src/core/task-list.ts'

const own = defineModule({
  name: 'own',
  description: 'Owns a thing.',
  params: z.strictObject({ thing: z.string() }),
  impact: 'none',
  owns: ({ thing }) => [thing],
  check: async () => ({ current: {}, desired: {} }),
  apply: () => [],
})
const thing = (name: string, options = {}) => own({ thing: name }, { label: name, ...options })

const web1 = { name: 'web1', groups: ['web'], vars: {} }
const of = (list: TaskList) => definePlaybook({ name: 'p', tasks: () => list })().tasksFor(web1)
const labels = (list: readonly Task[]) => list.map(task => task.label)

t.test('options of a list are those of each of its tasks', async t => {
  const isLarge = () => true
  const inner = tasks([thing('b', { tags: ['own'] })], { tags: ['deep', 'web'], when: true, label: 'deep' })
  const list = of([
    tasks([thing('a'), false, [inner]], { label: 'shop', tags: ['web'], when: isLarge, keepGoing: true }),
  ])
  t.match(list, [
    { label: 'shop/a', tags: ['web'], when: [isLarge], keepGoing: true, whyUnwanted: Function },
    { label: 'shop/deep/b', tags: ['own', 'deep', 'web'], when: [true, isLarge] },
  ])
  t.match(of([tasks([thing('a', { keepGoing: true })])]), [{ label: 'a', keepGoing: true, whyUnwanted: undefined }])
})

t.test('a playbook stands for its tasks, with the params of the host and the command line', async t => {
  const box = definePlaybook({
    name: 'box',
    params: z.strictObject({ port: z.number().default(80), path: z.string().default('/a') }),
    tasks: ({ port, path }) => [thing(`${path}:${port}`)],
  })
  const site = definePlaybook({
    name: 'site',
    params: z.strictObject({ domain: z.string().default('x') }),
    tasks: ({ domain }) => [tasks([box({ path: '/b' })], { label: domain }), box],
  })()
  t.same(labels(site.tasksFor(web1)), ['x//b:80', '/a:80'])
  t.same(labels(site.tasksFor({ ...web1, vars: { port: 81, domain: 'y' } })), ['y//b:81', '/a:81'])
  t.same(labels(site.tasksFor({ ...web1, vars: { port: 81 } }, { port: 82 })), ['x//b:82', '/a:82'])
  const misspelt = { code: 'invalid-params', message: /playbook site: no param is called "prt". Did you mean port\?/ }
  t.throws(() => site.tasksFor(web1, { prt: 82 }), misspelt)
})

t.test('a playbook within another keeps its hosts', async t => {
  const db = definePlaybook({ name: 'db', hosts: 'db', tasks: () => [thing('db')] })
  const web = definePlaybook({ name: 'web', hosts: 'web', tasks: () => [thing('web')] })
  const site = definePlaybook({ name: 'site', tasks: () => [db, web()] })()
  t.same(labels(site.tasksFor(web1)), ['web'])
  t.same(labels(site.tasksFor({ name: 'db1', groups: ['db'], vars: {} })), ['db'])
  t.same(labels(site.tasksFor(web1, {}, pattern => pattern === 'db')), ['db'])
})

t.test('a task can be replaced, kept beside others, and left out', async t => {
  const box = definePlaybook({
    name: 'box',
    params: z.strictObject({ first: z.string().default('a') }),
    tasks: ({ first }) => [thing(first), thing('b'), thing('c')],
  })
  const changed = box()
    .replace('b', false)
    .replace('c', task => [thing('before'), task, tasks([thing('d')], { tags: ['x'] })])
  t.same(labels(changed.tasksFor(web1)), ['a', 'before', 'c', 'd'])
  t.same(labels(changed.with({ first: 'z' }).replace('z', thing('y')).tasksFor(web1)), ['y', 'before', 'c', 'd'])
  t.same(labels(box().tasksFor(web1)), ['a', 'b', 'c'], 'the playbook itself stays as it is')
  const unknown = { code: 'invalid-playbook', message: /no task "swap" to replace/, hint: 'its tasks are: a, b, c' }
  t.throws(() => box().replace('swap', false).tasksFor(web1), unknown)
})

t.test('alternatives may own the same thing, what is surely wanted together may not', async t => {
  const large = () => true
  const small = () => false
  t.same(labels(of([thing('a', { when: large }), own({ thing: 'a' }, { when: small })])), ['a', 'own'])
  t.same(labels(of([thing('a'), own({ thing: 'a' }, { when: false })])), ['a', 'own'])
  const both = { code: 'invalid-playbook', message: /"a" and "own" both own a/, hint: /its own `when`/ }
  t.throws(() => of([thing('a'), own({ thing: 'a' }, { when: small })]), both, 'one of them is always wanted')
  t.throws(() => of([thing('a', { when: true }), own({ thing: 'a' })]), both)
  t.throws(() => of([tasks([thing('a'), own({ thing: 'a' })], { when: large })]), both, 'they have one condition')
  t.throws(() => of([tasks([thing('a'), tasks([own({ thing: 'a' })], { when: small })], { when: large })]), both)
})

t.test('what is no task is named', async t => {
  const wrong = (value: unknown): TaskList => [JSON.parse('null'), value].slice(1)
  const hint = 'a task is what calling a module gives: sysctl({ settings: { ... } })'
  t.throws(() => of(wrong(own)), { code: 'invalid-playbook', message: /the module own itself where a task/, hint })
  t.throws(() => of(wrong('x')), { message: /a string where a task/ })
  t.throws(() => of(wrong(null)), { message: /null where a task/ })
  t.throws(() => of(wrong({})), { message: /a object where a task/ })
})
