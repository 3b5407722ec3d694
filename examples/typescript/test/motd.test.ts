import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenLaws, type FakeHostState, fakeHost } from 'sak-reconcile/testing'
import { motd } from '../modules/motd.ts'

const stock: FakeHostState = { files: { '/etc/motd': 'Welcome to Debian\n' } }

test('a stock host gets our message', async () => {
  const { changes, steps } = await motd({ text: 'hello' }).assess(fakeHost(stock))
  assert.deepEqual(
    changes.map(change => change.key),
    ['saved'],
  )
  assert.deepEqual(steps, [
    {
      kind: 'write',
      path: '/etc/motd',
      content: 'hello\n',
      mode: '0644',
      owner: 'root',
      group: 'root',
      impact: 'none',
    },
  ])
})

test('it keeps the laws of modules', async () => {
  assert.deepEqual(await brokenLaws(motd({ text: 'hello' }), stock), [])
  assert.deepEqual(await brokenLaws(motd({ text: 'hello' }), {}), [])
})
