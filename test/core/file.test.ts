import t from 'tap'
import { absent, type FileRead, file, isFile, sameFile } from '../../src/core/file.ts'

t.test('a file belongs to root and can be read by all, unless stated', async t => {
  t.same(file('/a', 'x'), { kind: 'file', path: '/a', content: 'x', mode: '0644', owner: 'root', group: 'root' })
  t.match(file('/a', 'x', { mode: '0600', owner: 'app' }), { mode: '0600', owner: 'app', group: 'root' })
})

t.test('a file that should not be there has only to be gone', async t => {
  t.ok(sameFile(absent('/a'), absent('/a')))
  t.notOk(sameFile(file('/a', ''), absent('/a')), 'an empty file is there')
  t.notOk(sameFile(absent('/a'), file('/a', '')))
})

t.test('bytes that are no text are never what was desired', async t => {
  const current: FileRead = { ...file('/a', 'x'), binary: true }
  t.notOk(sameFile(current, file('/a', 'x')))
})

t.test('what is a file', async t => {
  t.ok(isFile(absent('/a')))
  for (const value of [null, undefined, 'file', {}, { kind: 'file' }, { kind: 'unreadable' }]) t.notOk(isFile(value))
})
