import t from 'tap'
import { whatChanged } from '../../src/engine/stale.ts'

type Planned = NonNullable<Parameters<typeof whatChanged>[0]>

const planned = (fields: Partial<Planned> = {}): Planned => ({
  label: 'conf',
  module: 'file',
  status: 'drift',
  digest: '',
  changes: [],
  steps: [],
  ...fields,
})
const saved = (before: unknown, after: unknown) =>
  planned({ changes: [{ key: 'saved', path: '/etc/a', before, after, diff: '' }] })
const step = { kind: 'run', impact: 'none' } as const

t.test('a task that came, went, or is in another state', async t => {
  t.same(whatChanged(planned(), undefined), ['conf: is in the plan, and is no task of the host now'])
  t.same(whatChanged(undefined, planned()), ['conf: is not in the plan'])
  t.same(whatChanged(saved('a', 'b'), planned({ status: 'ok' })), [
    'conf: was drift, is ok',
    'conf: saved /etc/a: differed then, and does not now',
  ])
  t.same(whatChanged(planned({ moduleVersion: '1' }), planned({ moduleVersion: '2' })), [
    'conf: the module file was version 1, and is 2',
  ])
})

t.test('what was found and what is wanted are told apart, of texts the first line that is another', async t => {
  t.same(whatChanged(saved('x = 1\ny = 2\n', 'z'), saved('x = 1\ny = 3\n', 'z')), [
    'conf: saved /etc/a: found was "y = 2", is "y = 3", in line 2',
  ])
  t.same(whatChanged(saved(null, 'a\n'), saved(null, 'a\nb\n')), [
    'conf: saved /etc/a: wanted was "", is "b", in line 2',
  ])
  t.same(whatChanged(saved({ mode: '0600' }, 'a'), saved(null, 'a')), [
    'conf: saved /etc/a: found was {"mode":"0600"}, is nothing',
  ])
  const running = planned({ changes: [{ key: 'running', before: 1, after: 2 }] })
  t.same(whatChanged(planned(), running), ['conf: running: did not differ then, and does now'])
  t.match(whatChanged(saved('x', 'z'), saved('y'.repeat(99), 'z')), [/is "y{78}…, in line 1$/])
})

t.test('what cannot be shown is told of', async t => {
  t.same(whatChanged(planned(), planned({ steps: [step] })), ['conf: the same differs, and other steps would mend it'])
  t.match(whatChanged(planned(), planned()), [/a secret has another value, or something beside has changed/])
})
