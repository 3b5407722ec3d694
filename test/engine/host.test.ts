import t from 'tap'
import { z } from 'zod'
import type { Connection } from '../../src/core/connection.ts'
import { SakError } from '../../src/core/errors.ts'
import { defineModule } from '../../src/core/module.ts'
import { type HostRun, runHost } from '../../src/engine/host.ts'
import { look } from '../../src/engine/look.ts'
import { shellConnection } from './shell.ts'

const looking = defineModule({
  name: 'looking',
  description: 'Looks.',
  params: z.strictObject({}),
  impact: 'none',
  owns: () => [],
  check: async host => ({
    current: { running: (await host.file('/etc/hostname')).path },
    desired: { running: '/etc/hostname' },
  }),
  apply: () => [],
})

const run: HostRun = {
  name: 'web1',
  tasks: [looking({})],
  work: look('web1', { allow: 'data' }),
  deadlineMs: 60_000,
}

/** A host that answers nothing until it is given up. */
function silent(closed: () => void): Connection {
  const given = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => {
      const giveUp = () => reject(new SakError('interrupted', 'given up before the host had finished'))
      if (signal?.aborted) giveUp()
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  return {
    run: (_script, { signal }) => given(signal),
    hold: () => given(),
    close: async () => closed(),
  }
}

t.test('a host is looked at, and let go', async t => {
  const { report, plan, intents } = await runHost(run, async () => shellConnection())
  t.match(report, {
    name: 'web1',
    status: 'ok',
    roundTrips: 1,
    tasks: [{ label: 'looking', status: 'ok' }],
    error: null,
  })
  t.match(plan, { results: [{ status: 'ok' }], interrupted: [] })
  t.match(intents, { looking: { params: /^[0-9a-f]{16}$/, desired: { running: /^[0-9a-f]{16}$/ } } })
})

t.test('a host that hangs is given up at its deadline, and said to be late', async t => {
  let closed = 0
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const { report } = await runHost({ ...run, deadlineMs: 50 }, async () => silent(() => closed++))
  t.match(report, {
    status: 'unreachable',
    tasks: [],
    error: { code: 'timeout', message: /within 0.05 s/, host: 'web1' },
  })
  t.equal(closed, 1)
})

t.test('a host that is given up by the user was interrupted', async t => {
  const controller = new AbortController()
  const reporting = runHost({ ...run, signal: controller.signal }, async () => silent(() => {}))
  controller.abort()
  t.match((await reporting).report, { status: 'unreachable', error: { code: 'interrupted' } })
})

t.test('a host that cannot be reached is unreachable, with the reason', async t => {
  const refused = () => Promise.reject(new SakError('unreachable', 'nobody is there', { hint: 'look' }))
  const { report } = await runHost(run, refused)
  t.match(report, { status: 'unreachable', roundTrips: 0, error: { code: 'unreachable', hint: 'look' } })
})
