import t from 'tap'
import { isBlocked, isSakError, SakError } from '../../src/core/errors.ts'

t.test('an error says what happened and what to do', async t => {
  const cause = new Error('why')
  const error = new SakError('override', 'somebody else rules it', { hint: 'ask them', said: 'no', cause })
  t.match(error, {
    name: 'SakError',
    code: 'override',
    message: 'somebody else rules it',
    hint: 'ask them',
    said: 'no',
  })
  t.equal(error.cause, cause)
  t.notOk('cause' in new SakError('usage', 'x'))
})

t.test('an error of another copy of the package is known, anything else is not', async t => {
  const other = Object.assign(new Error('x'), { [Symbol.for('sak-reconcile.error')]: true, code: 'usage' })
  t.ok(isSakError(other))
  for (const value of [new Error('x'), null, undefined, 'usage', { code: 'usage' }]) t.notOk(isSakError(value))
})

t.test('what cannot be judged is blocked, what went wrong is not', async t => {
  t.ok(isBlocked(new SakError('needs-root', 'x')))
  t.ok(isBlocked(new SakError('not-installed', 'x')))
  t.notOk(isBlocked(new SakError('timeout', 'x')))
  t.notOk(isBlocked(new SakError('module-bug', 'x')))
})
