import t from 'tap'
import { absent, file } from '../../src/core/file.ts'
import {
  daemonReload,
  describeStep,
  exceeds,
  greatestImpact,
  impacts,
  remove,
  run,
  service,
  waitFor,
  write,
} from '../../src/core/step.ts'

t.test('a file that should be gone is removed, any other is written', async t => {
  t.same(write(absent('/a')), remove('/a'))
  t.same(write(file('/a', 'x')), {
    kind: 'write',
    path: '/a',
    content: 'x',
    mode: '0644',
    owner: 'root',
    group: 'root',
    impact: 'none',
  })
  t.same(write({ kind: 'file', path: '/a', content: '' }), { kind: 'write', path: '/a', content: '', impact: 'none' })
  const validate = { argv: ['nginx', '-t', '-c', '{}'] }
  t.same(write(file('/a', 'x'), { validate }), { ...write(file('/a', 'x')), validate })
})

t.test('each step says what it does to those who use the host', async t => {
  t.equal(run(['true'], { undo: 'none' }).impact, 'none')
  t.equal(run(['true'], { undo: 'none', impact: 'data' }).impact, 'data')
  t.equal(service('nginx', 'reload').impact, 'reload')
  t.equal(service('nginx', 'stop').impact, 'restart')
  t.equal(service('nginx', 'start').impact, 'none')
  t.equal(daemonReload().impact, 'none')
})

t.test('impacts are in order', async t => {
  t.equal(greatestImpact([]), 'none')
  t.equal(greatestImpact([service('a', 'restart'), service('b', 'reload'), remove('/a')]), 'restart')
  for (const [index, impact] of impacts.entries()) {
    t.same(
      impacts.map(allowed => exceeds(impact, allowed)),
      impacts.map((_, allowed) => index > allowed),
    )
  }
})

t.test('a step on one line', async t => {
  t.same(
    [
      write(file('/a', 'x')),
      remove('/a'),
      service('nginx', 'reload'),
      daemonReload(),
      service('a.timer', 'restart', { user: 'ubuntu' }),
      daemonReload({ user: 'ubuntu' }),
      run(['sysctl', '-w', 'a=1'], { undo: 'resumable' }),
      run(['x'], { undo: 'none', title: 'check the configuration' }),
      waitFor(['pg_isready']),
    ].map(describeStep),
    [
      'write /a',
      'remove /a',
      'service reload nginx',
      'service daemon-reload',
      'service restart a.timer (of ubuntu)',
      'service daemon-reload (of ubuntu)',
      'run sysctl -w a=1',
      'run x',
      'waitFor pg_isready',
    ],
  )
})
