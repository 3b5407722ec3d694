import t, { type Test } from 'tap'
import type { DriftItem } from '../../src/core/drift.ts'
import { deliver } from '../../src/drift/deliver.ts'
import type { Message, Notifier } from '../../src/drift/notify/message.ts'
import { openStore } from '../../src/drift/store.ts'

const at = '2026-01-01T00:00:00.000Z'
const item: DriftItem = {
  ...{ id: 'i', place: 'p', fingerprint: 'f', subject: 'drift', host: 'web1', task: 'a', key: 'saved', origin: 'host' },
  ...{ firstSeen: at, lastSeen: at, valueSince: at, times: 1, reported: true },
}

/** A notifier that works or does not, and remembers what it was told. */
function notifier(name: string) {
  const told: string[] = []
  let works = true
  let messages = 0
  const send = async ({ events }: Message) => {
    messages += 1
    if (!works) throw new Error('no luck')
    told.push(...events.map(event => `${event.kind} ${event.item.key}`))
  }
  const self: Notifier = { name, timeoutMs: 1000, tries: 1, send }
  const set = (to: boolean) => {
    works = to
  }
  return { self, told, messages: () => messages, set }
}

async function history(t: Test, ...notifiers: ReturnType<typeof notifier>[]) {
  const store = await openStore(t.testdir(), at)
  const to = notifiers.map(({ self }) => self.name)
  let n = 0
  return {
    store,
    happen: (keys: readonly string[]) => {
      const events = keys.map(key => ({ id: `e${n++}`, kind: 'new' as const, at, run: 'r', item: { ...item, key } }))
      return store.commit({ at, events, to })
    },
    tell: (some = notifiers) => {
      const words = () => ({ title: '', text: '' })
      const options = { notifiers: some.map(({ self }) => self), playbook: 'web', words, run: 'r', at }
      return deliver(store, options)
    },
  }
}

t.test('each is told once of each, and there is no message of nothing', async t => {
  const [one, two] = [notifier('one'), notifier('two')]
  const { happen, tell, store } = await history(t, one, two)
  await happen(['a', 'b'])
  t.same(await tell(), [])
  t.same(await tell(), [])
  t.same(
    [one.told, two.told],
    [
      ['new a', 'new b'],
      ['new a', 'new b'],
    ],
  )
  t.equal(one.messages(), 1)
  t.same(store.state().waiting, [])
})

t.test('what cannot be told waits, the others are told that it does, and then that it does no more', async t => {
  const [one, two] = [notifier('one'), notifier('two')]
  const { happen, tell, store } = await history(t, one, two)
  one.set(false)
  await happen(['a'])
  t.same(await tell(), [{ name: 'one', why: 'no luck', isKnown: false }])
  t.same(two.told, ['new a', 'new one'])
  t.same(await tell(), [{ name: 'one', why: 'no luck', isKnown: true }])
  t.same(two.told, ['new a', 'new one'], 'once')
  await happen(['b'])
  one.set(true)
  t.same(await tell(), [])
  t.same(one.told, ['new a', 'new b', 'resolved one'])
  t.same(two.told, ['new a', 'new one', 'new b', 'resolved one'])
  t.same(store.state().waiting, [])
  t.same(store.state().items, {})
})

t.test('a notifier that is taken out of the config is waited for no longer', async t => {
  const [one, two] = [notifier('one'), notifier('two')]
  const { happen, tell, store } = await history(t, one, two)
  one.set(false)
  await happen(['a'])
  await tell()
  t.same(await tell([two]), [])
  t.same(store.state().waiting, [])
  t.same(two.told, ['new a', 'new one', 'resolved one'])
})

t.test('many events go in several messages, and those that arrived are not told again', async t => {
  const one = notifier('one')
  const { happen, tell } = await history(t, one)
  await happen(Array.from({ length: 250 }, (_, index) => `k${index}`))
  await tell()
  t.equal(one.messages(), 3)
  t.equal(new Set(one.told).size, 250)
})
