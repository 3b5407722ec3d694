import t from 'tap'
import { z } from 'zod'
import { defineModule } from '../../src/core/module.ts'
import { definePlaybook, isPlaybook, isPlaybookFactory } from '../../src/core/playbook.ts'

const echo = defineModule({
  name: 'echo',
  description: 'Owns what it is told to.',
  params: z.strictObject({ value: z.unknown(), owns: z.array(z.string()).default([]) }),
  impact: 'none',
  owns: ({ owns }) => owns,
  check: async () => ({ current: {}, desired: {} }),
  apply: () => [],
})

/** A playbook whose one task shows the params that it got. */
const seen = (value: unknown) => echo({ value, owns: [JSON.stringify(value)] })
const web = definePlaybook({
  name: 'web',
  hosts: 'web',
  params: z.strictObject({
    domain: z.string(),
    nginx: z.strictObject({ port: z.number().default(80), names: z.array(z.string()).default([]) }).prefault({}),
  }),
  tasks: (params, host) => [seen(params), [false, [host.name === 'web2' && echo({ value: 1 }, { label: 'extra' })]]],
})

const web1 = { name: 'web1', groups: ['web'], vars: {} }
const paramsOf = (playbook: ReturnType<typeof web>, vars = {}, commandLine = {}): unknown =>
  JSON.parse(playbook.tasksFor({ ...web1, vars }, commandLine)[0]?.owns[0] ?? '')

t.test('params come, the later the stronger, from defaults, playbook, host and command line', async t => {
  const playbook = web({ domain: 'a', nginx: { names: ['x', 'y'] } })
  t.same(paramsOf(playbook), { domain: 'a', nginx: { port: 80, names: ['x', 'y'] } })
  t.same(paramsOf(playbook, { domain: 'b', nginx: { port: 81 }, other: 1 }), {
    domain: 'b',
    nginx: { port: 81, names: ['x', 'y'] },
  })
  t.same(paramsOf(playbook, { domain: 'b' }, { domain: 'c', nginx: { names: ['z'] } }), {
    domain: 'c',
    nginx: { port: 80, names: ['z'] },
  })
  t.same(paramsOf(playbook.with({ nginx: { port: 8080 } })), { domain: 'a', nginx: { port: 8080, names: ['x', 'y'] } })
})

t.test('what a param has no default for may come from the host or the command line', async t => {
  t.same(paramsOf(web(), { domain: 'b' }), { domain: 'b', nginx: { port: 80, names: [] } })
  t.same(paramsOf(web(), {}, { domain: 'c' }), { domain: 'c', nginx: { port: 80, names: [] } })
  t.throws(() => web().tasksFor(web1), {
    code: 'invalid-params',
    message: /playbook web: domain is missing: expected string/,
  })
})

t.test('what is given is checked at once', async t => {
  t.throws(() => web().with({ domain: JSON.parse('3') }), { code: 'invalid-params', message: /domain/ })
  t.throws(() => web().with(JSON.parse('{"nginx":{"prt":1}}')), { message: /nginx: .*"prt". Did you mean port\?/ })
  const fromHost = () => web({ domain: 'a' }).tasksFor({ ...web1, vars: { nginx: 80 } })
  t.throws(fromHost, { code: 'invalid-params', message: /nginx: .*expected object/ })
  t.throws(() => web({ domain: 'a' }).tasksFor(web1, { domian: 'b' }), { message: /Did you mean domain\?/ })
})

t.test('lists are flattened, falsy ones left out', async t => {
  t.equal(web({ domain: 'a' }).tasksFor(web1).length, 1)
  t.equal(web({ domain: 'a' }).tasksFor({ ...web1, name: 'web2' }).length, 2)
})

t.test('two tasks cannot have one label, nor own one thing', async t => {
  const of = (...tasks: ReturnType<typeof echo>[]) => definePlaybook({ name: 'p', tasks: () => tasks })().tasksFor(web1)
  const doubled = { code: 'invalid-playbook', message: /p, host web1: two tasks are called "echo"$/, hint: /label: / }
  t.throws(() => of(echo({ value: 1 }), echo({ value: 2 })), doubled)
  t.throws(() => of(echo({ value: 1, owns: ['/a'] }), echo({ value: 2, owns: ['/b'] })), {
    message: /two tasks are called "echo": one for \/a, one for \/b$/,
  })
  const both = [echo({ value: 1, owns: ['/a', '/b'] }), echo({ value: 2, owns: ['/b'] }, { label: 'two' })]
  t.throws(() => of(...both), { code: 'invalid-playbook', message: /"echo" and "two" both own \/b/ })
})

t.test('tasks are a function, and who says otherwise is told where', async t => {
  t.throws(() => definePlaybook({ name: 'p', tasks: JSON.parse('[]') }), {
    code: 'invalid-playbook',
    message: 'playbook p: its tasks are a list, and must be a function that answers them',
    hint: /^look at .*playbook\.test\.ts:\d+; tasks: \(\) => /,
  })
})

t.test('playbooks of another copy of the package are known', async t => {
  t.ok(isPlaybookFactory(web))
  t.ok(isPlaybook(web()))
  t.notOk(isPlaybook(web))
  t.notOk(isPlaybookFactory(web()))
  t.ok(isPlaybook({ [Symbol.for('sak-reconcile.playbook')]: true }))
  t.equal(web.playbookName, 'web')
  t.equal(definePlaybook({ name: 'p', tasks: () => [] })().hosts, 'all')
})

t.test('what the tasks of an author throw is said with its place, and as no fault of ours', async t => {
  const broken = definePlaybook({
    name: 'broken',
    tasks: () => {
      throw new TypeError('it is not iterable')
    },
  })
  t.throws(() => broken().tasksFor(web1), {
    code: 'invalid-playbook',
    message: 'playbook broken: its tasks for web1 cannot be made: TypeError: it is not iterable',
    hint: /look at .*playbook\.test\.ts:\d+;/,
  })
})
