import { fileURLToPath } from 'node:url'
import t from 'tap'
import { command } from '../../modules/command/module.ts'
import { isSakError } from '../../src/index.ts'
import { brokenLaws, type FakeHostState, fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/command', import.meta.url)), command)
  t.ok(cases.length >= 15)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

const base = { argv: ['make'], creates: '/srv/made', impact: 'none' as const, undo: 'resumable' as const }

t.test('params', async t => {
  const message = (params: object) => {
    try {
      command.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  t.equal(message(base), undefined)
  t.match(message({ ...base, shell: 'x' }), /expected one of argv and shell/)
  t.match(message({ ...base, argv: undefined }), /expected one of argv and shell/)
  t.match(message({ ...base, creates: undefined }), /expected one of creates, removes, unless and onlyIf/)
  t.match(message({ ...base, impact: undefined }), /impact/)
  t.match(message({ ...base, undo: undefined }), /undo/)
  t.match(message({ ...base, undo: [] }), /undo/)
  t.match(message({ ...base, argv: [] }), /argv: expected a program/)
  t.match(message({ ...base, argv: ['a\0b'] }), /NUL/)
  t.match(message({ ...base, env: { 'A=B': 'c' } }), /env/)
})

t.test('its step runs what is shown, as it was asked', async t => {
  const params = {
    ...base,
    as: 'shop',
    cwd: '/srv',
    env: { A: 'b c' },
    undo: [['make', 'clean']],
    impact: 'restart' as const,
  }
  const task = command(params)
  t.equal(task.impact, 'restart')
  const host: FakeHostState = { files: { '/srv': { type: 'directory' } } }
  const { steps } = await task.assess(fakeHost(host))
  t.match(steps, [
    {
      argv: ['env', '-C', '/srv', 'make'],
      as: 'shop',
      env: { A: 'b c' },
      impact: 'restart',
      undo: [{ argv: ['env', '-C', '/srv', 'make', 'clean'], as: 'shop', env: { A: 'b c' } }],
      leaves: [{ kind: 'unknown', path: '/srv/made' }],
    },
  ])
  const does = () => ({ files: { ...host.files, '/srv/made': '' } })
  t.same(await brokenLaws(task, host, { does }), [])
})

t.test('a script stops at what fails', async t => {
  const { argv: _, ...others } = base
  const { steps } = await command({ ...others, shell: 'a; b' }).assess(fakeHost({}))
  t.match(steps, [{ argv: ['sh', '-eu', '-c', 'a; b', 'command'] }])
})

t.test('one check that says it is done is enough', async t => {
  const commands = [{ argv: ['check'], code: 1 }]
  const changes = async (params: object) => {
    const found = await command
      .parse({ ...base, creates: undefined, ...params })
      .assess(fakeHost({ files: { '/x': '' }, commands }))
    return found.changes
  }
  t.match(await changes({ unless: ['check'] }), [
    { before: { 'unless check': 'exit 1' }, after: { 'unless check': 'exit 0' } },
  ])
  t.same(await changes({ onlyIf: ['check'] }), [])
  t.same(await changes({ unless: ['check'], creates: '/x' }), [])
  t.match(await changes({ unless: ['check'], creates: '/y', removes: '/x' }), [
    { before: { 'unless check': 'exit 1', 'creates /y': 'not there', 'removes /x': 'there' } },
  ])
})
