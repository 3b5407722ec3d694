import t from 'tap'
import { z } from 'zod'
import type { CommandResult } from '../../src/core/host.ts'
import { defineModule, type ModuleDefinition } from '../../src/core/module.ts'
import { type Impact, run, type Step, service, write } from '../../src/core/step.ts'
import { brokenLaws, type FakeHostState } from '../../src/testing.ts'

const params = z.strictObject({})
type Found = { saved: string | null; running: string }
type Definition = ModuleDefinition<typeof params, Found, Found>

/** A module that keeps `new` in /a and in what runs, with a part of it done otherwise. */
function task(part: Partial<Definition> = {}) {
  const definition: Definition = {
    name: 'note',
    description: 'x',
    params,
    impact: 'reload',
    owns: () => [],
    check: async host => {
      const [file, running] = await Promise.all([host.file('/a'), host.command(['running'])])
      return { current: { saved: file.content, running: running.stdout }, desired: { saved: 'new', running: 'new' } }
    },
    apply: ({ saved, running }) => [
      saved && write({ kind: 'file', path: '/a', content: saved.after ?? '' }),
      running && service('note', 'reload'),
    ],
    ...part,
  }
  return defineModule(definition)({})
}

const running = (stdout: string): FakeHostState['commands'] => [{ argv: ['running'], stdout }]
const old: FakeHostState = { files: { '/a': 'old' }, commands: running('old') }
const does = (step: Step, host: FakeHostState): FakeHostState =>
  step.kind === 'service' ? { ...host, commands: running('new') } : host

t.test('a good module breaks none', async t => {
  t.same(await brokenLaws(task(), old), [])
  t.same(await brokenLaws(task(), old, { does }), [], 'of what runs, too')
  t.same(await brokenLaws(task(), { files: { '/a': 'new' }, commands: running('new') }, { does }), [])
  t.same(await brokenLaws(task(), { ...old, denied: ['/a'] }), [], 'nor one that cannot be judged')
})

t.test('each law, broken', async t => {
  const broken = (part: Partial<Definition>, options = {}) => brokenLaws(task(part), old, options)
  t.same(await broken({ apply: () => [] }), [
    'saved, running differs, but no step mends it and nothing is said to stand in the way',
  ])
  t.same(await broken({ apply: () => [service('note', 'reload')] }), ['once the steps are done, "saved" still differs'])
  t.same(
    await broken({ apply: ({ saved }) => [saved && write({ kind: 'file', path: '/a', content: 'new' })] }, { does }),
    ['once the steps are done, "running" still differs'],
  )
  t.same(await broken({ impact: 'none' satisfies Impact }), [
    'service reload note: its impact "reload" is greater than the module\'s "none"',
  ])
  let times = 0
  const unsteady: Definition['check'] = async () => {
    times += 1
    return { current: { saved: String(times), running: 'new' }, desired: { saved: 'new', running: 'new' } }
  }
  const write1 = write({ kind: 'file', path: '/a', content: 'new' })
  t.ok(
    (await broken({ check: unsteady, apply: () => [write1] })).includes(
      'the check answers otherwise when it is asked again',
    ),
  )
  const appends: Definition['apply'] = ({ saved }) => [
    write({ kind: 'file', path: '/a', content: `${saved?.before ?? 'new'}new` }),
    service('note', 'reload'),
  ]
  t.same(await broken({ apply: appends }), [
    'once the steps are done, "saved" still differs',
    'doing the steps again changes files again',
  ])
  const secret = run(['login', 'hunter2'], { undo: 'none' })
  t.same(await broken({ apply: () => [write1, secret] }, { secrets: ['hunter2'] }), ['a step shows a secret: run'])
  const strange: Step = { ...service('note', 'reload'), ...{ at: new Date(0) } }
  t.same(await broken({ apply: () => [write1, strange] }), [
    'service reload note: is no plain data, so that no plan file can hold it',
  ])
  const gone: Definition['check'] = async host => {
    const { content } = await host.file('/a')
    if (content === 'new') await host.file('/denied')
    return { current: { saved: content, running: 'new' }, desired: { saved: 'new', running: 'new' } }
  }
  t.same(await brokenLaws(task({ check: gone }), { ...old, denied: ['/denied'] }), [
    'once the steps are done it cannot be judged any more',
  ])
})

t.test('a check that writes', async t => {
  const argvs = [
    ['/bin/rm', '-f', '/a'],
    ['systemctl', '--quiet', 'restart', 'note'],
    ['systemctl', 'show', 'note'],
    ['swapon', '--show'],
  ]
  const check: Definition['check'] = async host => {
    const results: CommandResult[] = await Promise.all(argvs.map(argv => host.command(argv)))
    return { current: { saved: 'new', running: String(results.length) }, desired: { saved: 'new', running: '4' } }
  }
  t.same(await brokenLaws(task({ check }), { commands: argvs.map(argv => ({ argv })) }), [
    'the check runs "/bin/rm -f /a", which writes',
    'the check runs "systemctl --quiet restart note", which writes',
  ])
})

t.test('a bug in a module is not hidden', async t => {
  await t.rejects(brokenLaws(task(), {}), { message: /no answer for/ })
})
