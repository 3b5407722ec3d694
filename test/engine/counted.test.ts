import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connectLocally } from '../../src/connections/local.ts'
import { onSpan, type Span } from '../../src/core/trace.ts'
import { applyLocked } from '../../src/engine/apply-locked.ts'
import { runHost, type Work } from '../../src/engine/host.ts'
import { look } from '../../src/engine/look.ts'
import { note } from './notes.ts'
import { keepingIn } from './shell.ts'

/** This machine, with journals and locks of this test alone: other tests apply here at the same time. */
const base = t.testdir({})
const connection = async () =>
  keepingIn(
    base,
    connectLocally(undefined, async () => undefined),
  )

const looking = look('here', { allow: 'data' })
const applying = applyLocked({ allow: 'data', runId: 'sak-test', waitSeconds: 0 })

t.test(
  'trips: to check one; to apply one more for the lock, one for each task that changes, one to verify',
  async t => {
    const folder = t.testdir({ a: 'old', b: 'as it should be', c: 'old', d: 'as it should be' })
    const tasks = ['a', 'b', 'c', 'd'].map(name => note({ path: join(folder, name), content: 'as it should be' }))
    const trips = async (work: Work) => {
      const { report } = await runHost({ name: 'here', tasks, work, deadlineMs: 60_000 }, connection)
      return [report.status, report.roundTrips]
    }
    const check = 1
    const lock = 1
    const verification = 1
    t.same(await trips(looking), ['drift', check])
    t.same(await trips(applying), ['changed', lock + check + 2 + verification])
    t.same(await trips(applying), ['ok', lock + check])
  },
)

t.test('the trace has each trip with its bytes, and no contents', async t => {
  const folder = t.testdir({ a: 'old' })
  const spans: Span[] = []
  const stop = onSpan(span => void spans.push(span))
  const tasks = [note({ path: join(folder, 'a'), content: `new for ${userInfo().username}` })]
  await runHost({ name: 'here', tasks, work: applying, deadlineMs: 60_000 }, connection)
  stop()
  const trips = spans.filter(({ name }) => name.startsWith('trip '))
  t.same(
    trips.map(({ name }) => name),
    ['trip 1', 'trip 2', 'trip 3', 'trip 4'],
  )
  for (const { host, details } of trips.slice(1))
    t.match({ host, details }, { host: 'here', details: { bytesOut: Number, bytesIn: Number } })
  t.notMatch(JSON.stringify(trips), /new for/)
})
