import { applyPatch } from 'diff'
import fc from 'fast-check'
import t from 'tap'
import { absent, type FileRead, file } from '../../src/core/file.ts'
import { reportChanges } from '../../src/engine/report-changes.ts'

const path = '/etc/x.conf'
const change = (before: unknown, after: unknown) => reportChanges({ key: 'saved', before, after })
const diffOf = (before: string, after: string) => change(file(path, before), file(path, after))[0]?.diff

t.test('a file is shown as a unified diff', async t => {
  t.equal(diffOf('a\nb\n', 'a\nc\n'), `--- ${path}\n+++ ${path}\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n`)
  t.match(change(absent(path), file(path, 'a\n')), [
    { key: 'saved', path, before: null, after: 'a\n', diff: `--- /dev/null\n+++ ${path}\n@@ -0,0 +1,1 @@\n+a\n` },
  ])
  t.match(change(file(path, 'a\n'), absent(path))[0]?.diff, `--- ${path}\n+++ /dev/null\n`)
  t.match(diffOf('a\n', 'a'), '\\ No newline at end of file')
})

t.test('a line that looks like a header stays as it is', async t => {
  const before = '-- a comment in SQL\t\n++ plus\t\n'
  t.match(diffOf(before, ''), '\n--- a comment in SQL\t\n-++ plus\t\n')
})

const line = fc.oneof(
  fc.constantFrom('', 'a', 'b', '-- x\t', '++ y\t', '@@ -1 +1 @@', '\\ No newline', 'a\r', '===', 'Index: z'),
  fc.string(),
)
const text = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
  .map(([lines, newline]) => lines.join('\n') + (newline ? '\n' : ''))

t.test('the law of diffs: applied to what is there, they give what should be', async () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const [found] = change(file(path, before), file(path, after))
      if (before === after) return found === undefined
      return applyPatch(before, found?.diff ?? '', { autoConvertLineEndings: false }) === after
    }),
    { numRuns: 1000 },
  )
})

const numbered = (count: number, changed: (line: number) => boolean) =>
  Array.from({ length: count }, (_, line) => `line ${line}${changed(line) ? ' is new' : ''}\n`).join('')

t.test('long files: a diff of what differs, and where that is in too many lines, in which', async t => {
  const old = numbered(50_000, () => false)
  const some = numbered(50_000, line => line % 50 === 49)
  t.ok(applyPatch(old, diffOf(old, some) ?? '') === some, 'a thousand lines of fifty thousand')
  const many = numbered(50_000, line => line % 10 === 9)
  t.match(
    diffOf(old, many),
    /^\/etc\/x.conf differs in more than 2000 lines, .*: lines 10 to 50000 become lines 10 to 50000\. .*JSON has both\n$/,
  )
  t.match(diffOf(old, many.slice(0, many.indexOf('line 49990'))), /lines 10 to 50000 become lines 10 to 49990\./)
  t.ok(applyPatch('', diffOf('', old) ?? '') === old, 'a new file is shown whole')
  t.ok(applyPatch('a\nb\n', diffOf('a\nb\n', old) ?? '') === old, 'in the place of a short one too')
})

t.test('attributes are shown where they are stated and differ', async t => {
  const before: FileRead = { ...file(path, 'a\n', { mode: '0600', owner: 'app' }) }
  t.same(change(before, file(path, 'a\n')), [
    { key: 'saved', path, before: { mode: '0600', owner: 'app' }, after: { mode: '0644', owner: 'root' } },
  ])
  t.same(change(before, { kind: 'file', path, content: 'a\n', owner: 'app' }), [])
  t.equal(change(before, file(path, 'b\n')).length, 2, 'the content and the attributes')
  t.equal(change(before, absent(path)).length, 1, 'a file that goes has no attributes')
})

t.test('a binary file is named, not shown', async t => {
  const before: FileRead = { kind: 'file', path, content: '\u0000\u00ff', binary: true }
  t.match(change(before, file(path, 'a\n')), [
    { diff: `Binary file ${path} differs (2 to 2 bytes)\n` },
    { before: { mode: null } },
  ])
})

t.test('of lists of files those that differ, those that come and those that go', async t => {
  const at = (name: string, content = name) => file(`/d/${name}`, content)
  t.match(change([at('same'), at('old', '1'), at('gone')], [at('same'), at('old', '2'), at('new')]), [
    { path: '/d/old', before: '1', after: '2' },
    { path: '/d/gone', before: 'gone', after: null },
    { path: '/d/new', before: null, after: 'new' },
  ])
})

t.test('of records the entries that differ, of all else the whole', async t => {
  t.same(change({ a: 1, b: { c: 1 }, d: 4 }, { a: 1, b: { c: 2 }, e: 5 }), [
    { key: 'saved', before: { b: { c: 1 }, d: 4, e: null }, after: { b: { c: 2 }, d: null, e: 5 } },
  ])
  t.same(change('on', 'off'), [{ key: 'saved', before: 'on', after: 'off' }])
  t.same(change(undefined, ['a']), [{ key: 'saved', before: null, after: ['a'] }])
  t.same(change([], ['a']), [{ key: 'saved', before: [], after: ['a'] }])
})

t.test('what is hidden shows neither its content nor that before', async t => {
  const shown = change(file(path, 'old secret\n'), { ...file(path, 'new secret\n'), hidden: true })
  t.notMatch(JSON.stringify(shown), /secret/)
  t.match(shown, [{ before: { bytes: 11 }, after: { bytes: 11 }, diff: /not shown/ }])
})

t.test('directories and links show what differs, and a file in their place is shown with them', async t => {
  const directory = { kind: 'directory', path: '/srv', mode: '0755', owner: 'root', group: 'root' }
  const link = { kind: 'link', path, target: 'elsewhere' }
  t.match(change(null, directory), [
    { path: '/srv', before: { type: null }, after: { type: 'directory', mode: '0755' } },
  ])
  t.same(change({ ...directory, mode: '0700' }, directory), [
    { key: 'saved', path: '/srv', before: { mode: '0700' }, after: { mode: '0755' } },
  ])
  t.same(
    change([], [directory]).map(({ path }) => path),
    ['/srv'],
  )
  t.match(change(link, { ...link, target: '/x' }), [{ path, before: { target: 'elsewhere' }, after: { target: '/x' } }])
  t.match(change(link, file(path, 'a\n')), [
    { before: { type: 'link', target: 'elsewhere' }, after: { type: 'file', bytes: 2 } },
    { diff: /\+a\n/ },
  ])
  t.match(change(file(path, 'a\n'), link), [{ after: { type: 'link' } }, { diff: /-a\n/ }])
})
