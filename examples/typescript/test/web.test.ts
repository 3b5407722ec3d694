import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadInventory } from 'sak-reconcile'
import { brokenLaws, fakeHost } from 'sak-reconcile/testing'
import { web } from '../playbooks/web.ts'

const inventory = await loadInventory(['inventory.yaml'], new URL('..', import.meta.url).pathname)
const stock = {
  files: { '/sbin/sysctl': '', '/proc/sys/vm/swappiness': '60\n', '/proc/self/mounts': 'proc /proc proc rw 0 0\n' },
}

for (const [name, host] of inventory.hosts) {
  test(`the tasks of ${name}`, async () => {
    const [message, kernel] = web().tasksFor(host)
    assert.ok(message && kernel)
    const { changes } = await kernel.assess(fakeHost(stock))
    assert.deepEqual(
      changes.map(change => change.key),
      ['saved', 'running'],
    )
    assert.deepEqual(await brokenLaws(message, stock), [])
    assert.deepEqual(await brokenLaws(kernel, stock), [])
  })
}

test('a param of a host counts more than the default', async () => {
  const web2 = inventory.hosts.get('web2')
  assert.ok(web2)
  const { changes } = (await web().tasksFor(web2)[0]?.assess(fakeHost(stock))) ?? { changes: [] }
  assert.match(JSON.stringify(changes), /the shop team/)
})

test('a mistake is named before any host is touched', () => {
  assert.throws(() => web().with({ swappiness: 300 }), { code: 'invalid-params', message: /swappiness/ })
})
