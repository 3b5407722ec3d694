import fc from 'fast-check'
import t from 'tap'
import { hostOf, intent, taskOf, watching } from './hosts.ts'

const bad = { swappiness: 'bad' }
const what = 'web1 sysctl running swappiness'
const web1 = (values: Parameters<typeof taskOf>[1], more = {}) => hostOf('web1', [taskOf('sysctl', values, more)])

t.test('a drift is told when it comes, when it is another, and when it is gone; and never between', async t => {
  const { look, state } = watching()
  t.same(look([web1({})]), [])
  t.same(look([web1(bad)]), [{ kind: 'new', what, origin: 'host' }])
  t.same(look([web1(bad)]), [])
  t.match(Object.values(state().items), [{ times: 2, firstSeen: /00:02/, lastSeen: /00:03/ }])
  t.same(look([web1({ swappiness: 'worse' })]), [{ kind: 'changed', what }])
  t.match(Object.values(state().items), [{ times: 3, firstSeen: /00:02/, valueSince: /00:04/ }])
  t.same(
    look([web1({ ...bad, ratio: 'bad' })]).map(({ kind, what }) => [kind, what]),
    [
      ['changed', what],
      ['new', 'web1 sysctl running ratio'],
    ],
  )
  t.same(look([web1({ ratio: 'bad' })]), [{ kind: 'resolved', what, by: 'outside' }])
  t.match(look([web1({})]), [{ kind: 'resolved' }])
  t.same(state().items, {})
})

t.test('a host that is down is told once, and nothing of it counts as mended', async t => {
  const { look } = watching()
  look([web1(bad)])
  t.same(look([hostOf('web1', 'connect-timeout')]), [{ kind: 'new', what: 'web1 unreachable' }])
  t.same(look([hostOf('web1', 'unreachable')]), [], 'in whatever way it is down')
  t.same(look([web1(bad)]), [{ kind: 'resolved', what: 'web1 unreachable', by: 'outside' }])
  t.same(look([web1({})]), [{ kind: 'resolved', what, by: 'outside' }])
})

t.test('a task that cannot be judged is told once, and what differed there stays', async t => {
  const { look } = watching()
  look([web1(bad)])
  t.same(look([web1('needs-root')]), [{ kind: 'new', what: 'web1 sysctl needs-root' }])
  t.same(look([web1('needs-root')]), [])
  for (const status of ['deferred', 'skipped'] as const) t.same(look([web1({}, { status })]), [], status)
  t.same(
    look([web1({})]).map(({ kind, what }) => [kind, what]),
    [
      ['resolved', what],
      ['resolved', 'web1 sysctl needs-root'],
    ],
  )
})

t.test('who resolved it, and who made it differ', async t => {
  const { look } = watching()
  look([web1({})])
  const changed = { intents: { sysctl: intent('p2', 'd2') } }
  t.match(look([{ ...web1(bad), ...changed }]), [{ kind: 'new', origin: 'playbook' }])
  t.match(look([{ ...web1({}), intents: { sysctl: intent('p3', 'd3') } }]), [{ kind: 'resolved', by: 'playbook' }])
  const otherParams = { intents: { sysctl: intent('p4', 'd3') } }
  t.match(look([{ ...web1(bad), ...otherParams }]), [{ kind: 'new', origin: 'host' }], 'the key is meant as before')
  const mended = web1(bad, { status: 'changed' })
  t.match(look([mended], { mode: 'apply' }), [{ kind: 'resolved', by: 'us' }])
  t.match(look([mended], { mode: 'apply' }), [{ kind: 'new' }, { kind: 'resolved', by: 'us' }])
  look([web1(bad)])
  t.match(
    look([hostOf('web1', [taskOf('nginx', {})])]),
    [{ kind: 'resolved', by: 'playbook' }],
    'no such task any more',
  )
})

t.test('a run that looks at some hosts or tasks says nothing of the others', async t => {
  const { look } = watching()
  look([web1(bad), hostOf('web2', [taskOf('sysctl', bad)])])
  t.same(look([web1(bad)], { isWhole: false }), [])
  const none = hostOf('web1', [], { labels: ['sysctl'] })
  t.same(look([none], { isWhole: false }), [])
  const { report, ...rest } = hostOf('web2', 'not-started')
  t.same(look([{ ...rest, report: { ...report, status: 'skipped' } }], { mode: 'apply', isWhole: false }), [])
  t.match(look([web1(bad)]), [{ kind: 'resolved', by: 'playbook', what: /^web2/ }], 'a whole run without it')
})

t.test('what is still there is told again after a time, and a clock that is set back tells nothing early', async t => {
  const { look, pass } = watching([], 3_600_000)
  look([web1(bad)])
  pass(30)
  t.same(look([web1(bad)]), [])
  pass(30)
  t.same(look([web1(bad)]), [{ kind: 'reminder', what }])
  pass(-60)
  t.same(look([web1(bad)]), [])
})

t.test('a file that is edited elsewhere drifts as before', async t => {
  const { look } = watching()
  const withDiff = (line: number, is = '-swap off') => ({
    ...{ key: 'saved', path: '/etc/fstab', before: `${line}`, after: 'x' },
    diff: `--- /etc/fstab\n+++ /etc/fstab\n@@ -${line},1 +${line},1 @@\n line ${line}\n${is}\n+swap on\n`,
  })
  const drifting = (line: number, is?: string) =>
    hostOf('web1', [taskOf('fstab', bad, { changes: [withDiff(line, is)] })])
  look([drifting(1)])
  t.same(look([drifting(7)]), [])
  t.match(look([drifting(7, '-swap maybe')]), [{ kind: 'changed' }])
})

t.test(
  'whatever happens, what comes and goes is told in turn, and a host that is down never counts as clean',
  async () => {
    const values = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('bad', 'worse'))
    const task = fc.oneof(values, fc.constantFrom('needs-root', 'not-installed'))
    const host = fc.oneof({ weight: 4, arbitrary: task }, { weight: 1, arbitrary: fc.constant('down' as const) })
    fc.assert(
      fc.property(fc.array(fc.tuple(host, host), { maxLength: 30 }), rounds => {
        const { look } = watching()
        const open = new Set<string>()
        for (const round of rounds) {
          const hosts = round.map((found, index) =>
            found === 'down' ? hostOf(`h${index}`, 'unreachable') : hostOf(`h${index}`, [taskOf('sysctl', found)]),
          )
          for (const { kind, what } of look(hosts)) {
            if ((kind === 'new') === open.has(what)) throw new Error(`${what} is ${kind} out of turn`)
            if (kind === 'resolved' && round[Number(what[1])] === 'down')
              throw new Error(`${what} is resolved while down`)
            if (kind === 'resolved') open.delete(what)
            else open.add(what)
          }
          for (const [index, found] of round.entries()) {
            const differs = typeof found === 'object' ? Object.keys(found) : []
            const missing = differs.filter(entry => !open.has(`h${index} sysctl running ${entry}`))
            if (missing.length > 0) throw new Error(`nobody was told of ${missing}`)
          }
        }
      }),
    )
  },
)
