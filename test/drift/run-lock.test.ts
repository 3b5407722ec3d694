import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { takeRunLock } from '../../src/drift/run-lock.ts'

const options = { what: 'a test', longestMs: 60_000 }

/** What a process that holds the lock says of itself, with something else about it. */
async function holder(folder: string, more: object): Promise<void> {
  const lock = await takeRunLock(folder, options)
  const [name = ''] = readdirSync(folder)
  const own = JSON.parse(readFileSync(join(folder, name), 'utf8'))
  lock.release()
  writeFileSync(join(folder, 'run-000000000000.lock'), JSON.stringify({ ...own, ...more }))
}

t.test('one holds the lock', async t => {
  const folder = t.testdir()
  const lock = await takeRunLock(folder, options)
  await t.rejects(takeRunLock(folder, options), { code: 'locked', message: /a test, process \d+/ })
  lock.release()
  ;(await takeRunLock(folder, options)).release()
  t.same(readdirSync(folder), [])
})

t.test('of many that come at once one gets it, and none is left over', async t => {
  const folder = t.testdir()
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => takeRunLock(folder, options)))
  t.ok(tries.filter(({ status }) => status === 'fulfilled').length <= 1)
  for (const one of tries) if (one.status === 'fulfilled') one.value.release()
  t.same(readdirSync(folder), [])
})

t.test('who is gone holds nothing, and of whom nobody can see there is a time', async t => {
  const later = new Date(Date.now() + 60_000).toISOString()
  const gone = {
    'another process with its number': { began: '1', until: later },
    'before the last boot': { boot: `other ${readlinkSync('/proc/self/ns/pid')}`, until: later },
    'elsewhere, long ago': { machine: 'other', until: '2026-01-01T00:00:00.000Z' },
  }
  for (const [name, more] of Object.entries(gone)) {
    const folder = join(t.testdir(), name)
    await holder(folder, more)
    const lock = await takeRunLock(folder, options)
    lock.release()
    t.same(readdirSync(folder), [], name)
  }
  const folder = join(t.testdir(), 'elsewhere')
  await holder(folder, { machine: 'other', until: later })
  await t.rejects(takeRunLock(folder, options), { code: 'locked' })
})
