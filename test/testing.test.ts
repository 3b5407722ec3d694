import t from 'tap'
import { z } from 'zod'
import { file } from '../src/core/file.ts'
import { defineModule } from '../src/core/module.ts'
import { remove, run, write } from '../src/core/step.ts'
import { type FakeHostState, fakeHost, runCases, withFileSteps } from '../src/testing.ts'

const state: FakeHostState = {
  files: {
    '/etc/a': 'a',
    '/etc/b': { content: 'grüße', mode: '0600', owner: 'app', mtime: 5 },
    '/etc/.hidden': 'x',
    '/etc/d': { type: 'directory' },
    '/swap': { size: 2048, allocated: 1024 },
    '/secret/a': 's',
  },
  commands: [
    { argv: ['id'], stdout: 'root' },
    { argv: ['psql', '-c', 'show'], as: 'postgres', stdout: 'on', code: 3, stderr: 'e' },
  ],
  denied: ['/secret/*'],
  deniedUsers: ['oracle'],
}

t.test('a fake host answers from data, as a real one would', async t => {
  const host = fakeHost(state)
  t.match(await host.file('/etc/a'), { content: 'a', mode: '0644', owner: 'root', stat: { type: 'file', size: 1 } })
  t.match(await host.file('/etc/b'), { mode: '0600', owner: 'app', stat: { size: 7, allocated: 7, mtime: 5 } })
  t.same(await host.file('/none'), { kind: 'file', path: '/none', content: null })
  t.equal(await host.stat('/none'), null)
  t.match(await host.stat('/swap'), { size: 2048, allocated: 1024 })
  t.match(await host.stat('/etc/d'), { type: 'directory' })
  const found = await host.files(['/etc/*', '/etc/a'])
  t.same(
    found.map(({ path }) => path),
    ['/etc/a', '/etc/b'],
    'regular files, each once, no dotfiles',
  )
})

t.test('commands are known by argv and by whose eyes they need', async t => {
  const host = fakeHost(state)
  t.match(await host.command(['id']), { stdout: 'root', code: 0 })
  t.match(await host.command(['id'], { as: 'app' }), { stdout: 'root' }, 'without `as` it answers anyone')
  t.same(await host.command(['psql', '-c', 'show'], { as: 'postgres' }), { code: 3, stdout: 'on', stderr: 'e' })
  await t.rejects(host.command(['psql', '-c', 'show'], { as: 'app' }), { message: /no answer for \["psql"/ })
  await t.rejects(host.command(['id', '-u']), { message: /no answer/ })
  await t.rejects(host.command(['id'], { as: 'oracle' }), { code: 'needs-root' })
  await t.rejects(host.file('/secret/a'), { code: 'needs-root' })
})

t.test('a mistake in the data is refused', async t => {
  t.throws(() => fakeHost(JSON.parse('{"file":{}}')), /file/)
})

t.test('the host after the file steps', async t => {
  const after = withFileSteps(state, [write(file('/etc/a', 'b')), remove('/etc/b'), run(['x'], { undo: 'none' })])
  const host = fakeHost(after)
  t.match(await host.file('/etc/a'), { content: 'b' })
  t.match(await host.file('/etc/b'), { content: null })
  t.match(await fakeHost(state).file('/etc/a'), { content: 'a' }, 'the one before is as it was')
  const kept = fakeHost(withFileSteps(state, [write({ kind: 'file', path: '/etc/b', content: 'b' })]))
  t.match(await kept.file('/etc/b'), { content: 'b', mode: '0600', owner: 'app' }, 'what a write does not state stays')
})

const note = defineModule({
  name: 'note',
  description: 'x',
  params: z.strictObject({ text: z.string(), isForgetful: z.boolean().default(false) }),
  impact: 'none',
  owns: () => [],
  check: async (host, { text }) => ({
    current: { saved: await host.file('/a') },
    desired: { saved: file('/a', text) },
  }),
  apply: ({ saved }, { isForgetful }) => [!isForgetful && saved && write(saved.after), run(['x'], { undo: 'none' })],
})

t.test('cases: what was expected beside what was found, and what a plan leaves undone', async t => {
  const json = (params: object, host: object, expect: object) => ({
    'case.json': JSON.stringify({ origin: 'by hand', params, host, expect }),
  })
  const drift = { changes: ['saved'], steps: ['write /a', 'run x'] }
  const folder = t.testdir({
    drift: json({ text: 'x' }, {}, drift),
    forgetful: json({ text: 'x', isForgetful: true }, {}, { changes: ['saved'], steps: ['run x'] }),
    denied: json({ text: 'x' }, { denied: ['/a'] }, { changes: [], blocked: ['needs-root'], steps: [] }),
    wrong: json({ text: 'x' }, { files: { '/a': 'x' } }, drift),
  })
  const [denied, found, forgetful, wrong] = await runCases(folder, note)
  t.match(denied, { name: 'denied', left: [], assessment: undefined })
  for (const each of [denied, found, forgetful]) t.same(each?.found, each?.expected, each?.name ?? '')
  t.same(found?.left, [])
  t.same(forgetful?.left, ['once the steps are done, "saved" still differs'])
  t.match(wrong, { expected: { changes: ['saved'] }, found: { changes: [], steps: [] } })
})
