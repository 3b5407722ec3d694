import t from 'tap'
import { z } from 'zod'
import { diffByKey } from '../../src/core/change.ts'
import { isSakError, SakError } from '../../src/core/errors.ts'
import { file } from '../../src/core/file.ts'
import { hostFrom } from '../../src/core/host.ts'
import { blocked, defineModule, orUnreadable } from '../../src/core/module.ts'
import { run, write } from '../../src/core/step.ts'
import { isTask } from '../../src/core/task.ts'
import { fakeHost } from '../../src/testing.ts'

const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({
    text: z.string(),
    path: z.string().default('/etc/note'),
    lines: z.strictObject({ keep: z.number() }).optional(),
  }),
  impact: 'restart',
  owns: ({ path }) => [path],
  async check(host, { text, path }) {
    const [saved, running] = await Promise.all([
      host.file(path),
      orUnreadable(host.command(['show'], { as: 'app' }).then(({ stdout }) => stdout)),
    ])
    return { current: { saved, running }, desired: { saved: file(path, text), running: text } }
  },
  apply: ({ saved, running }, _params, current) => [
    saved && write(saved.after),
    false,
    running && run(['tell', running.after, String(current.saved.content)], { undo: 'none', impact: 'restart' }),
  ],
})

const host = (content: string, stdout: string) =>
  fakeHost({ files: { '/etc/note': content }, commands: [{ argv: ['show'], stdout }] })

t.test('a task is a module with params, defaults filled in', async t => {
  const task = note({ text: 'x' }, { label: 'greeting', tags: ['a'], keepGoing: true })
  t.ok(isTask(task))
  t.match(task, { module: 'note', label: 'greeting', tags: ['a'], keepGoing: true, impact: 'restart' })
  t.same(task.owns, ['/etc/note'])
  t.match(note({ text: 'x' }), { label: 'note', tags: [], keepGoing: false })
  t.match(note.parse({ text: 'x', path: '/n' }), { owns: ['/n'] })
  t.same([note.moduleName, note.description], ['note', 'Keeps a note.'])
})

t.test('a mistake in the params names the task, the field and what was meant', async t => {
  const messageOf = (params: unknown, label?: string) => {
    try {
      note.parse(params, label === undefined ? {} : { label })
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
    }
    return undefined
  }
  t.equal(messageOf({ text: 3 }), 'note: text: expected string, received number')
  t.equal(messageOf({ text: 'x', pth: '/n' }, 'mine'), 'note "mine": Unrecognized key: "pth". Did you mean path?')
  t.match(messageOf({ text: 'x', lines: { kep: 1 } }), 'lines: Unrecognized key: "kep". Did you mean keep?')
  t.equal(messageOf(undefined), 'note: nothing is given: expected object')
  t.equal(messageOf({ path: '/n' }), 'note: text is missing: expected string')
  t.equal(messageOf({ text: 'x', lines: {} }), 'note: lines.keep is missing: expected number')
})

t.test('what differs is named, and only that is in the steps', async t => {
  const task = note({ text: 'x' })
  t.match(await task.assess(host('x', 'x')), { changes: [], steps: [], blocked: [] })
  t.match((await task.assess(host('x', 'y'))).steps, [{ kind: 'run', argv: ['tell', 'x', 'x'] }])
  const both = await task.assess(host('y', 'y'))
  t.same(
    both.changes.map(({ key }) => key),
    ['saved', 'running'],
  )
  t.same(
    both.steps.map(({ kind }) => kind),
    ['write', 'run'],
  )
})

t.test('what may not be read blocks the task, and the rest is still shown', async t => {
  const denied = fakeHost({ files: { '/etc/note': 'y' }, deniedUsers: ['app'] })
  const found = await note({ text: 'x' }).assess(denied)
  t.match(found.blocked, [{ code: 'needs-root' }])
  t.same(
    found.changes.map(({ key }) => key),
    ['saved'],
  )
  t.same(found.steps, [])
})

t.test('one reason is said once', async t => {
  const twice = defineModule({
    name: 'twice',
    description: 'x',
    params: z.strictObject({}),
    impact: 'none',
    owns: () => [],
    check: async () => ({
      current: { a: 1 },
      desired: { a: 2 },
      blocked: [blocked('override', 'same'), blocked('override', 'same', 'hint'), blocked('override', 'other')],
    }),
    apply: () => [],
  })
  t.match((await twice({}).assess(fakeHost({}))).blocked, [{ message: 'same' }, { message: 'other' }])
})

t.test('only what means "may not" becomes unreadable', async t => {
  t.equal(await orUnreadable(Promise.resolve(1)), 1)
  t.match(await orUnreadable(Promise.reject(new SakError('not-installed', 'x'))), { kind: 'unreadable' })
  await t.rejects(orUnreadable(Promise.reject(new SakError('timeout', 'x'))), { code: 'timeout' })
  await t.rejects(orUnreadable(Promise.reject(new TypeError('bug'))), TypeError)
})

t.test('a module may say what equality means', async t => {
  const loose = defineModule({
    name: 'loose',
    description: 'x',
    params: z.strictObject({}),
    impact: 'none',
    owns: () => [],
    check: async () => ({ current: { running: 'yes', saved: 1 }, desired: { running: 'on', saved: 2 } }),
    diff: checked => diffByKey(checked, (_, __, key) => key === 'running'),
    apply: ({ running }) => [running && run(['never'], { undo: 'none' })],
  })
  t.match(await loose({}).assess(fakeHost({})), { changes: [{ key: 'saved' }], steps: [] })
})

t.test('a key that is never compared is a bug, not in sync', async t => {
  const lopsided = (current: object, desired: object) =>
    defineModule({
      name: 'lopsided',
      description: 'x',
      params: z.strictObject({}),
      impact: 'none',
      owns: () => [],
      check: async () => ({ current, desired }),
      apply: () => [],
    })({}).assess(fakeHost({}))
  await t.rejects(lopsided({ saved: 1 }, { saved: 1, running: 2 }), { message: /"running" in only one/ })
  await t.rejects(lopsided({ saved: 1, boot: 1 }, { saved: 1 }), { message: /"boot" in only one/ })
})

t.test('params that are no schema of zod 4 are refused at once', async t => {
  const rest = { name: 'm', description: 'x', impact: 'none', owns: () => [], apply: () => [] } as const
  const check = async () => ({ current: {}, desired: {} })
  for (const params of [undefined, {}, { _def: {}, safeParse: () => {} }]) {
    // @ts-expect-error from plain JavaScript anything may come
    const define = () => defineModule({ ...rest, check, params })
    t.throws(define, { code: 'invalid-params', message: /module m: its params are no schema/, hint: /zod@4/ })
  }
})

t.test('what a module answers is held to the contract, and the place of a mistake is told', async t => {
  const params = z.strictObject({})
  const bad = (parts: object) =>
    // as in plain JavaScript, where no types are checked
    Reflect.apply(defineModule, undefined, [
      { name: 'bad', description: 'x', params, impact: 'none', owns: () => [], ...parts },
    ])
  const differing = { current: { saved: 1, running: 2 }, desired: { saved: 1, running: 3 } }
  const check = async () => differing
  const apply = () => []
  const here = /look at .*\/module\.test\.ts:\d+(;|$)/
  const wrong: [object, RegExp][] = [
    [{ check: async () => undefined, apply }, /check must answer { current, desired }, and answers undefined/],
    [{ check: async () => ({ saved: 1 }), apply }, /check must answer .* answers { saved }/],
    [{ check: async () => ({ current: { a: 1 }, desired: { b: 1 } }), apply }, /"a" in only one of/],
    [{ check: async () => ({ current: { a: check() }, desired: { a: 1 } }), apply }, /promise as current\.a: .* await/],
    [{ check, apply: async () => [] }, /apply must answer a list of steps, and answers a promise/],
    [{ check, apply: () => write(file('/a', 'x')) }, /apply must answer a list of steps, and answers { kind,/],
    [{ check, apply: () => ['reboot'] }, /apply answers "reboot" where a step should be: write/],
    [{ check, apply: () => [write(file('etc/motd', 'x'))] }, /apply answers { kind, path, .*absolute paths/],
    [{ check, apply: () => [run(JSON.parse('"ls"'), { undo: 'none' })] }, /apply answers { kind, argv,/],
    [
      { check, apply: ({ saved }: { saved: { after: string } }) => [saved.after] },
      /reading 'after'.* \(saved in sync is no change: say `saved && \.\.\.`\)/,
    ],
    [
      {
        check,
        apply,
        diff: () => {
          throw new TypeError('no diff')
        },
      },
      /bad has a bug: no diff/,
    ],
  ]
  for (const [parts, message] of wrong) {
    await t.rejects(bad(parts)({}).assess(fakeHost({})), { code: 'module-bug', message, hint: here })
  }
  t.throws(() => bad({ check }), {
    code: 'invalid-params',
    message: /module bad: it has no function apply/,
    hint: here,
  })
  t.throws(() => note(JSON.parse('{}')), {
    message: 'note: text is missing: expected string',
    hint: /^look at .*module\.test\.ts:\d+; its params are defined at .*module\.test\.ts:\d+$/,
  })
})

t.test('reads that a host cannot be asked are the fault of who asks', async t => {
  const host = hostFrom(() => Promise.reject(new Error('it was asked')))
  await t.rejects(host.file('etc/motd'), /host\.file takes an absolute path, not "etc\/motd"/)
  await t.rejects(host.stat(JSON.parse('null')), /host\.stat takes an absolute path, not null/)
  await t.rejects(host.command(JSON.parse('"ls /etc"')), /host\.command takes a list/)
  await t.rejects(host.command([]), /host\.command takes a list/)
  await t.rejects(host.files(JSON.parse('"/etc/*"')), /host\.files takes a list/)
})
