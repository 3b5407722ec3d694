import t from 'tap'
import { z } from 'zod'
import type { KnownFacts } from '../../src/core/facts.ts'
import { blocked, defineModule } from '../../src/core/module.ts'
import { definePlaybook } from '../../src/core/playbook.ts'
import { run, write } from '../../src/core/step.ts'
import { type TaskList, together } from '../../src/core/task-list.ts'
import { planTasks } from '../../src/engine/plan.ts'

/** Keeps a file whose path stands in another file: two reads, the second of which needs the first. */
const chained = defineModule({
  name: 'chained',
  description: 'Keeps a file that another file names.',
  params: z.strictObject({ path: z.string() }),
  impact: 'none',
  owns: ({ path }) => [path],
  async check(host, { path }) {
    const { content } = await host.file(path)
    const saved = await host.file(`${path}/${content}`)
    return { current: { saved }, desired: { saved: { kind: 'file', path: saved.path, content: 'x' } as const } }
  },
  apply: ({ saved }) => [saved && write(saved.after)],
})

const web1 = { name: 'web1', groups: [], vars: {} }

/** Plans tasks on a host on which every file is absent, whose facts come with the first answers. */
async function planned(list: TaskList, known: KnownFacts) {
  const asked: string[] = []
  const answered = new Promise<void>(resolve => setImmediate(resolve))
  const ask = async (read: { path: string }) => {
    asked.push(read.path)
    await answered
    return { kind: 'file' as const, file: { kind: 'file' as const, path: read.path, content: null } }
  }
  const tasks = definePlaybook({ name: 'p', tasks: () => list })().tasksFor(web1)
  const plans = await planTasks(
    tasks,
    async read => {
      if (read.kind !== 'file') throw new TypeError(read.kind)
      return ask(read)
    },
    'data',
    answered.then(() => known),
  )
  return { plans, asked }
}

t.test('a task that is not wanted is checked no further than the first trip goes', async t => {
  const large = chained({ path: '/large' }, { label: 'large', when: ({ facts }) => facts.ramMiB > 4000 })
  const small = chained({ path: '/small' }, { label: 'small', when: ({ facts }) => facts.ramMiB <= 4000 })
  const { plans, asked } = await planned([large, small], { ramMiB: 1928 })
  t.match(plans, [{ status: 'skipped', when: /ramMiB is 1928/ }, { status: 'drift' }])
  t.same(asked, ['/large', '/small', '/small/null'])
})

t.test('where the facts cannot decide, the task is blocked, and so are two that claim the same thing', async t => {
  const onDebian = chained({ path: '/a' }, { label: 'a', when: ({ facts }) => facts.os.id === 'debian' })
  const other = chained({ path: '/a' }, { label: 'b', when: ({ facts }) => facts.cores < 8 })
  const free = chained({ path: '/c' }, { label: 'c' })
  const unknown = await planned([onDebian, other, free], { cores: 2 })
  t.match(unknown.plans, [
    { status: 'blocked', errors: [{ code: 'unsupported', message: /does not tell its os.id/ }] },
    { status: 'drift' },
    { status: 'drift' },
  ])
  const { plans } = await planned([onDebian, other, free], { 'os.id': 'debian', cores: 2 })
  const both = { status: 'blocked', errors: [{ code: 'refused', message: /tasks "a" and "b" both own \/a/ }] }
  t.match(plans, [both, both, { status: 'drift' }])
  const alone = await planned([onDebian, other, free], { 'os.id': 'alpine', cores: 2 })
  t.match(alone.plans, [{ status: 'skipped' }, { status: 'drift' }, { status: 'drift' }])
})

t.test('a condition that throws fails its task alone', async t => {
  const broken = chained({ path: '/a' }, { label: 'a', when: ({ vars }) => JSON.parse(String(vars.none)).x })
  const { plans } = await planned([broken, chained({ path: '/c' })], {})
  t.match(plans, [{ status: 'failed', errors: [{ code: 'invalid-playbook' }] }, { status: 'drift' }])
})

/** Installs packages, or takes one away: what its program leaves at a path nobody can foresee. */
const installs = defineModule({
  name: 'installs',
  description: 'Installs packages.',
  params: z.strictObject({ leaves: z.string().default('/var/lib/dpkg/status'), wants: z.boolean().default(true) }),
  impact: 'restart',
  owns: () => [],
  check: async (_, { wants }) => ({ current: { there: false }, desired: { there: wants } }),
  apply: (_, { leaves }) => [run(['apt-get'], { undo: 'none', leaves: [{ kind: 'unknown', path: leaves }] })],
})

/** Cannot be judged for these reasons. */
const lacking = defineModule({
  name: 'lacking',
  description: 'Lacks what a package may bring.',
  params: z.strictObject({
    reasons: z.array(z.enum(['not-installed', 'no-such-user', 'no-such-path', 'refused'])),
    throws: z.boolean().default(false),
  }),
  impact: 'reload',
  owns: () => [],
  async check(_, { reasons, throws }) {
    const errors = reasons.map(code => blocked(code, 'is not there'))
    if (throws && errors[0]) throw errors[0]
    return { current: { there: false }, desired: { there: true }, blocked: errors }
  },
  apply: () => [],
})

t.test('what an earlier task may install is not missing, but deferred', async t => {
  const statuses = async (list: TaskList) => (await planned(list, {})).plans.map(({ status }) => status)
  const lacks = (...reasons: ('not-installed' | 'no-such-user' | 'no-such-path' | 'refused')[]) => lacking({ reasons })
  const thrown = lacking({ reasons: ['not-installed'], throws: true }, { label: 'thrown' })
  t.same(
    await statuses([installs({}), thrown, lacks('not-installed', 'no-such-user', 'no-such-path')]),
    ['drift', 'deferred', 'deferred'],
    'and a deferred task may install too',
  )
  t.same(await statuses([installs({}), lacks('not-installed', 'refused')]), ['drift', 'blocked'], 'not all is missing')
  t.same(await statuses([thrown, installs({})]), ['blocked', 'drift'], 'only by an earlier one')
  t.same(await statuses([installs({ wants: false }), thrown]), ['ok', 'blocked'], 'that has something to install')
  t.same(await statuses([installs({ leaves: '/srv' }), thrown]), ['drift', 'blocked'], 'and not by any program')
  t.match((await planned([together([installs({}), thrown])], {})).plans[1], {
    status: 'blocked',
    errors: [{ code: 'together', message: /known only once/ }],
  })
})
