import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenLaws, fakeHost } from 'sak-reconcile/testing'
import { motd } from '../motd.js'

test('motd', async () => {
  const { steps } = await motd({ text: 'hello' }).assess(fakeHost({}))
  assert.equal(steps[0]?.kind, 'write')
  assert.deepEqual(await brokenLaws(motd({ text: 'hello' }), {}), [])
})

test('a mistake is named at once', () => {
  assert.throws(() => motd({ txt: 'hello' }), { code: 'invalid-params', message: /txt/ })
})
