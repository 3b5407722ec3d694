import t from 'tap'
import { diffByKey, inSync, isUnreadable } from '../../src/core/change.ts'
import { SakError } from '../../src/core/errors.ts'
import { absent, type FileRead, file } from '../../src/core/file.ts'

t.test('files are in sync by content and by what is stated of them', async t => {
  const current: FileRead = file('/a', 'x', { mode: '0600' })
  t.ok(inSync(current, { kind: 'file', path: '/a', content: 'x' }))
  t.notOk(inSync(current, file('/a', 'x')), 'the mode differs')
  t.notOk(inSync(current, file('/b', 'x', { mode: '0600' })), 'another file')
  t.ok(inSync([current], [file('/a', 'x', { mode: '0600' })]))
  t.notOk(inSync([current], []))
  t.notOk(inSync([], [current]))
})

t.test('all else is in sync by deep equality', async t => {
  t.ok(inSync({ a: [1, { b: null }] }, { a: [1, { b: null }] }))
  t.notOk(inSync({ a: '10' }, { a: 10 }))
  t.notOk(inSync([1, 2], [2, 1]))
  t.ok(inSync(null, null))
  t.notOk(inSync(null, undefined))
})

t.test('a key in sync is absent, one that may not be read too', async t => {
  const unreadable = { kind: 'unreadable', error: new SakError('needs-root', 'no') } as const
  t.ok(isUnreadable(unreadable))
  t.notOk(isUnreadable({ kind: 'file' }))
  t.notOk(isUnreadable(null))
  const current = { saved: absent('/a'), running: unreadable, boot: 'on' }
  const desired = { saved: file('/a', 'x'), running: 'on', boot: 'on' }
  t.same(diffByKey({ current, desired }), { saved: { before: current.saved, after: desired.saved } })
})

t.test('equality is a matter of meaning where a module says so', async t => {
  const checked = { current: { running: 'yes', saved: 'a' }, desired: { running: 'on', saved: 'b' } }
  const changes = diffByKey(checked, (current, desired, key) => key === 'running' || current === desired)
  t.same(changes, { saved: { before: 'a', after: 'b' } })
})
