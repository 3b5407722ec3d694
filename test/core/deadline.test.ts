import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { after } from '../../src/core/deadline.ts'

t.test('it comes, with its reason, though nobody holds it', async t => {
  setFlagsFromString('--expose_gc')
  const collect: unknown = runInNewContext('gc')
  const stop = new AbortController()
  const reasons: unknown[] = []
  const listen = () => {
    const signal = AbortSignal.any([stop.signal, after(100, new Error('too late'))])
    signal.addEventListener('abort', () => reasons.push(signal.reason))
  }
  listen()
  await sleep(10)
  if (typeof collect === 'function') collect()
  else t.fail('no garbage collector')
  await sleep(200)
  t.match(reasons, [{ message: 'too late' }])
  t.notOk(after(1e12).aborted, 'longer than a timer can wait')
})
