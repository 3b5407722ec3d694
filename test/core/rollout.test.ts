import fc from 'fast-check'
import t from 'tap'
import { batchesOf, Health, MaxFail, mostFailures, parseMaxFail, parseSerial, Serial } from '../../src/core/rollout.ts'

const hosts = (n: number) => Array.from({ length: n }, (_, index) => `h${index}`)
const sizes = (n: number, text: string) => batchesOf(hosts(n), parseSerial(text)).map(batch => batch.length)

t.test('batches are those that Ansible makes', async t => {
  t.same(sizes(10, '3'), [3, 3, 3, 1])
  t.same(sizes(10, '1,5,25%'), [1, 5, 2, 2], 'the last counts for all that follow')
  t.same(sizes(10, '100%'), [10])
  t.same(sizes(3, '10%'), [1, 1, 1], 'at least one host')
  t.same(sizes(3, '50'), [3])
  t.same(sizes(0, '1'), [])
  t.same(batchesOf(hosts(3), undefined), [hosts(3)], 'all at once')
  t.same(batchesOf(hosts(3), 2), [['h0', 'h1'], ['h2']])
  t.same(batchesOf(hosts(4), '50%').length, 2)
})

t.test('every host is in one batch, in order', async t => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 100 }).map(n => `${n}%` as const),
  )
  const property = fc.property(fc.nat(60), fc.array(size, { minLength: 1, maxLength: 4 }), (n, serial) => {
    const batches = batchesOf(hosts(n), serial)
    t.strictSame(batches.flat(), hosts(n))
    t.ok(batches.every(batch => batch.length > 0))
  })
  fc.assert(property)
})

t.test('how many hosts may fail', async t => {
  t.equal(mostFailures({}, 10), Number.POSITIVE_INFINITY)
  t.equal(mostFailures({ serial: 1 }, 10), 0)
  t.equal(mostFailures({ serial: 1, maxFail: 2 }, 10), 2)
  t.equal(mostFailures({ maxFail: '25%' }, 10), 2)
  t.equal(mostFailures({ maxFail: '5%' }, 10), 0)
})

t.test('what is no share is refused', async t => {
  for (const text of ['', '0', '-1', '1.5', 'x', '0%', '101%', '5%%', '1,,2', '1,', '%'])
    t.throws(() => parseSerial(text), text)
  for (const text of ['', '-1', '1.5', '200%']) t.throws(() => parseMaxFail(text), text)
  t.equal(parseMaxFail('0'), 0)
  t.equal(parseMaxFail('0%'), '0%')
  t.match(Serial.safeParse('x').error?.message, /expected a number of hosts \(2\) or a share of them/)
  t.match(MaxFail.safeParse(-1).success, false)
  t.equal(Health.safeParse({ within: '5s' }).success, false, 'a probe of nothing')
  t.equal(Health.safeParse({ url: 'web1:80' }).success, false)
  t.equal(Health.safeParse({ url: 'http://{address}:80/' }).success, true)
})
