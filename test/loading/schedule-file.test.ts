import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import {
  forgetSchedule,
  keepSchedule,
  lastScheduledRun,
  logOf,
  readSchedule,
  type Schedule,
} from '../../src/loading/schedule-file.ts'

function ownState(test: Test): string {
  const before = process.env.XDG_STATE_HOME
  const folder = test.testdir({})
  process.env.XDG_STATE_HOME = folder
  test.teardown(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME
    else process.env.XDG_STATE_HOME = before
  })
  return folder
}

const schedule: Schedule = {
  schema: 'sak-reconcile/schedule@1',
  name: 'web',
  every: '@hourly',
  by: 'cron',
  ofUser: false,
  user: 'root',
  folder: '/srv',
  program: ['/usr/bin/node', '/opt/cli.js'],
  args: ['-l', 'web*'],
  environment: { PATH: '/bin' },
  installedAt: '2026-11-23T10:00:00.000Z',
}

t.test('what is scheduled is kept, and forgotten without a trace', async t => {
  const folder = ownState(t)
  t.equal(await readSchedule('web'), undefined)
  await keepSchedule(schedule)
  t.same(await readSchedule('web'), schedule)
  writeFileSync(logOf('web'), 'x\n')
  await forgetSchedule('web')
  t.equal(await readSchedule('web'), undefined)
  t.notOk(existsSync(join(folder, 'sak-reconcile/schedule')))
  await forgetSchedule('web')
})

t.test('what is none of ours is refused', async t => {
  ownState(t)
  await keepSchedule(schedule)
  const path = join(dirname(logOf('web')), 'web.json')
  for (const content of ['', '{}', '[1']) {
    writeFileSync(path, content)
    await t.rejects(readSchedule('web'), { code: 'usage', message: /web\.json is none of ours/ })
  }
})

t.test('the last run stands at the end of the log, whatever runs print', async t => {
  ownState(t)
  mkdirSync(dirname(logOf('web')), { recursive: true })
  t.equal(await lastScheduledRun('web'), undefined, 'no log')
  writeFileSync(logOf('web'), 'web1 drift\n')
  t.equal(await lastScheduledRun('web'), undefined, 'the first run is under way')
  appendFileSync(logOf('web'), '2026-11-23T10:00:00Z exit 2\n2026-11-23T10:30:00Z exit 0\n')
  t.same(await lastScheduledRun('web'), { endedAt: new Date('2026-11-23T10:30:00Z'), exitCode: 0 })
  appendFileSync(logOf('web'), `${'é'.repeat(40_000)}\nsaid: 2026-11-23T11:00:00Z exit 4\n`)
  t.equal(await lastScheduledRun('web'), undefined, 'too far back')
  appendFileSync(logOf('web'), '2026-11-23T11:00:00Z exit 130\n')
  t.match(await lastScheduledRun('web'), { exitCode: 130 })
})
