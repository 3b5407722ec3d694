import pc from 'picocolors'
import t from 'tap'
import { diffLines, firstLines, stepLines, valueLines } from '../../src/reports/text-change.ts'

const none = pc.createColors(false)
const colors = pc.createColors(true)

t.test('a diff is coloured line by line; only its first two lines are its header', async t => {
  const lines = diffLines('--- /a\n+++ /a\n@@ -1,2 +1,2 @@\n same\n--- SQL\n+++ plus\n', colors)
  t.same(lines, [
    colors.bold('--- /a'),
    colors.bold('+++ /a'),
    colors.cyan('@@ -1,2 +1,2 @@'),
    ' same',
    colors.red('--- SQL'),
    colors.green('+++ plus'),
  ])
})

t.test('line ends that cannot be seen are made visible, and no line is lost', async t => {
  t.same(diffLines('--- /a\n+++ /a\n@@ -1,2 +1,1 @@\n-a\r\n+a\n-\n', none).slice(3), ['-a␍', '+a', '-'])
})

t.test('what is long is cut, and says so', async t => {
  t.same(firstLines(['a', 'b', 'c'], 3), ['a', 'b', 'c'])
  t.same(firstLines(['a', 'b', 'c'], 2), ['a', 'b', '… and 1 more line'])
  t.same(firstLines(['a', 'b', 'c'], 1, ': there'), ['a', '… and 2 more lines: there'])
  t.same(diffLines('--- /a\n+++ /a\n@@ -1,1 +1,1 @@\n-abcdef\n+abc\n', colors, 4).slice(3), [
    colors.red('-abc…'),
    colors.green('+abc'),
  ])
  t.same(valueLines('abcdef', 'abc', none, 4), ['abcd… → abc'])
})

t.test('of a record each entry on a line, of what is nested only what differs', async t => {
  t.same(valueLines({ 'vm.swappiness': '60', x: 1 }, { 'vm.swappiness': '10', x: 2 }, none), [
    'vm.swappiness  60 → 10',
    'x              1 → 2',
  ])
  t.same(
    valueLines(
      { app: { env: { PORT: '1', A: 'a' }, mode: 'fork' } },
      { app: { env: { PORT: '2', A: 'a' }, mode: 'fork' } },
      none,
    ),
    ['app env PORT  1 → 2'],
  )
  t.same(valueLines(null, { a: 1 }, none), ['(none) → {"a":1}'])
  t.same(valueLines('a\nb', ['c'], none), ['a⏎b → ["c"]'])
})

t.test('a step on one line, with its impact', async t => {
  const steps = [
    { kind: 'write', path: '/a', impact: 'none' },
    { kind: 'service', action: 'reload', name: 'nginx', impact: 'reload' },
    { kind: 'service', action: 'daemon-reload', name: '', impact: 'none' },
    { kind: 'run', argv: ['sh', '-c', 'a\n  b'], impact: 'restart' },
    { kind: 'run', argv: ['x'], title: 'check it', impact: 'none' },
    { kind: 'waitFor', argv: ['y', 'z'.repeat(200)], impact: 'none' },
    { kind: 'service', action: 'daemon-reload', name: '', user: 'ubuntu', impact: 'none' },
  ] as const
  const lines = stepLines(steps, 'dry-run', none)
  t.same(lines.slice(0, 5), [
    'would write /a',
    'would reload nginx (reload)',
    'would daemon-reload',
    'would run sh -c a b (restart)',
    'would check it',
  ])
  t.match(lines[5], /^would wait for y z+…$/)
  t.equal(lines[6], 'would daemon-reload (of ubuntu)')
  t.match(stepLines(steps, 'apply', none)[0], 'did write /a')
})
