import t from 'tap'
import type { IgnoreRule } from '../../src/core/drift-config.ts'
import { hostOf, taskOf, watching } from './hosts.ts'

const bad = { swappiness: 'bad' }
const web = (...names: string[]) => names.map(name => hostOf(name, [taskOf('sysctl', bad)]))
const ruled = (rule: Omit<IgnoreRule, 'reason'>, hosts = ['web1']) => [
  { rule: { reason: 'we know', ...rule }, hosts: new Set(hosts) },
]

t.test('a rule silences what fits all its patterns, and nothing else', async t => {
  const silent: Omit<IgnoreRule, 'reason'>[] = [
    {},
    { task: 'sys*' },
    { key: 'running' },
    { key: 'swap*' },
    { value: 'bad' },
    { task: '~sys.*', key: 'swappiness', value: '~b.d' },
  ]
  for (const rule of silent) {
    const told = watching(ruled(rule)).look(web('web1', 'web2'))
    t.same(
      told.map(each => each.what),
      ['web2 sysctl running swappiness'],
      JSON.stringify(rule),
    )
  }
  for (const rule of [{ task: 'nginx' }, { key: 'saved' }, { value: 'worse' }, { task: 'sysctl', value: 'x' }]) {
    t.equal(watching(ruled(rule)).look(web('web1')).length, 1, JSON.stringify(rule))
  }
})

t.test('a host that is down is silenced only by a rule that says so', async t => {
  const down = [hostOf('web1', 'connect-timeout')]
  t.equal(watching(ruled({})).look(down).length, 1)
  t.equal(watching(ruled({ key: 'unreachable' })).look(down).length, 0)
})

t.test('a rule that ends, ends: what it silenced is new, and the rule is told of', async t => {
  const { look, pass } = watching(ruled({ until: '2026-01-02' }))
  t.same(look(web('web1')), [])
  pass(24 * 60)
  t.same(
    look(web('web1')).map(({ kind, what }) => [kind, what]),
    [
      ['new', 'web1 sysctl running swappiness'],
      ['new', 'hosts all'],
    ],
  )
  t.same(look(web('web1')), [])
})

t.test('a rule that comes later closes what was told, and nothing is told of what it silences', async t => {
  const rules = ruled({}, [])
  const { look } = watching(rules)
  t.match(look(web('web1')), [{ kind: 'new' }])
  rules.splice(0, 1, ...ruled({}))
  t.match(look(web('web1')), [{ kind: 'resolved', by: 'ignored' }])
  t.same(look(web('web1')), [])
  t.same(look([hostOf('web1', [taskOf('sysctl', {})])]), [])
})

t.test('a rule that has silenced nothing for a month is told of, once', async t => {
  const { look, pass } = watching(ruled({ task: 'nginx' }))
  t.match(look(web('web1')), [{ what: /^web1/ }])
  pass(30 * 24 * 60)
  t.match(look(web('web1')), [{ kind: 'new', what: 'hosts all, task nginx' }])
  t.same(look(web('web1')), [])
})
