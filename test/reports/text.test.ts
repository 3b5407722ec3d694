import t from 'tap'
import type { HostReport, Report, ReportChange, ReportError, RunEvent, TaskReport } from '../../src/core/report.ts'
import { type TextOptions, textReport } from '../../src/reports/text.ts'

const error: ReportError = {
  code: 'step-failed',
  message: 'run x: exit 9',
  host: 'web1',
  task: 'm',
  step: 'run x',
  said: 'no such luck',
  rollback: 'done',
  hint: 'look there',
}
const task = (given: Partial<TaskReport> = {}): TaskReport => ({
  module: 'm',
  label: 'm',
  status: 'ok',
  impact: 'none',
  changes: [],
  steps: [],
  error: null,
  ...given,
})
const host = (tasks: TaskReport[], given: Partial<HostReport> = {}): HostReport => {
  const status = tasks[0]?.status ?? 'ok'
  return { name: 'web1', status, durationMs: 1200, roundTrips: 2, tasks, error: null, ...given }
}

/** The events of a run over the hosts. */
function events(mode: Report['mode'], hosts: HostReport[]): RunEvent[] {
  const report: Report = {
    schema: 'sak-reconcile/report@1',
    mode,
    startedAt: '2026-11-23T10:00:00.000Z',
    durationMs: 3400,
    exitCode: 0,
    summary: { hosts: { ok: hosts.length }, tasks: { ok: 1 } },
    hosts,
  }
  return [
    { type: 'start', mode, hosts: hosts.map(({ name }) => name) },
    ...hosts.map(each => ({ type: 'host', report: each }) as const),
    { type: 'end', report },
  ]
}

function textOf(all: readonly RunEvent[], options: Partial<TextOptions> = {}): string {
  let text = ''
  const { onEvent, finish } = textReport({
    color: false,
    write: more => {
      text += more
    },
    ...options,
  })
  for (const event of all) onEvent(event)
  finish()
  return text
}

const saved: ReportChange = {
  key: 'saved',
  path: '/a',
  before: 'x\n',
  after: 'y\n',
  diff: '--- /a\n+++ /a\n@@ -1 +1 @@\n-x\n+y\n',
}
const drift = task({
  status: 'drift',
  impact: 'reload',
  changes: [saved],
  steps: [{ kind: 'write', path: '/a', impact: 'none' }],
})

t.test('a dry run shows each task, what differs and what would be done', async t => {
  t.equal(
    textOf(events('dry-run', [host([drift, task({ label: 'other' })])])),
    `web1  drift  2 round trips, 1.2 s
  ~ drift    m      (reload)
      saved /a
        --- /a
        +++ /a
        @@ -1 +1 @@
        -x
        +y
      would write /a
  ✓ ok       other

1 host (1 ok); tasks: 1 ok; 3.4 s. Nothing was changed.
`,
  )
})

t.test('quiet is what needs attention, and the summary; nothing where nothing does', async t => {
  t.equal(textOf(events('apply', [host([task()])]), { quiet: true }), '')
  const hosts = [host([task()]), host([task(), drift], { name: 'web2' })]
  const text = textOf(events('dry-run', hosts), { quiet: true })
  t.notMatch(text, 'web1')
  t.notMatch(text, '✓')
  t.match(text, 'web2')
  const lost = host([], { status: 'unreachable', error: { ...error, code: 'auth-failed', step: null } })
  t.match(textOf(events('dry-run', [lost]), { quiet: true }), /web1 {2}unreachable[\s\S]*auth-failed: run x/)
})

t.test('what was changed as the plan said is not shown twice, anything else is', async t => {
  const changed = task({ ...drift, status: 'changed' })
  const planThenApply = [...events('dry-run', [host([drift])]), ...events('apply', [host([changed])])]
  t.equal(textOf(planThenApply).match(/\+y/g)?.length, 1)
  t.equal(textOf(events('apply', [host([changed])])).match(/\+y/g)?.length, 1, 'without a plan it is shown')
  const failed = task({ ...drift, status: 'failed', error })
  t.equal(
    textOf([...events('dry-run', [host([drift])]), ...events('apply', [host([failed])])]).match(/\+y/g)?.length,
    2,
  )
  t.match(textOf(events('apply', [host([changed])]), { verbose: true }), 'did write /a')
})

t.test('an error says what was done, what the host said and what to do', async t => {
  const text = textOf(events('apply', [host([task({ status: 'failed', error })])]))
  t.match(text, /✗ failed {3}m\n {6}step-failed: run x: exit 9 \(undone\)\n {8}\| no such luck\n {8}hint look there\n/)
  const half = task({ status: 'failed', error: { ...error, rollback: 'failed', message: 'one\ntwo' } })
  t.match(textOf(events('apply', [host([half])])), /step-failed: one \(NOT undone\)\n {8}two\n/)
  const long = task({
    status: 'failed',
    error: { ...error, said: Array.from({ length: 50 }, (_, i) => `l${i}`).join('\n') },
  })
  t.equal(textOf(events('apply', [host([long])])).match(/\| l/g)?.length, 20, 'its last lines')
})

t.test('that root is needed is said once for a host', async t => {
  const needsRoot = { ...error, code: 'needs-root', message: '/etc/x may not be read', step: null, hint: 'run as root' }
  const blind = (label: string) => task({ label, status: 'blocked', error: needsRoot })
  const text = textOf(events('dry-run', [host([blind('a'), blind('b')])]))
  t.match(text, /! blocked {2}a {2}needs-root: \/etc\/x may not be read\n/)
  t.equal(text.match(/hint/g)?.length, 1)
  t.match(text, 'hint 2 tasks need root to see everything: run as root, or with --become')
})

t.test('tasks that go together say so, and which steps are done once or cannot be undone', async t => {
  const steps: TaskReport['steps'] = [
    { kind: 'service', action: 'reload', name: 'nginx', impact: 'reload', sharedWith: ['b'] },
    { kind: 'run', argv: ['charge'], impact: 'none', undo: 'none' },
  ]
  const text = textOf(
    events('dry-run', [host([task({ status: 'drift', impact: 'reload', steps, together: ['m', 'b'] })])]),
  )
  t.match(text, /~ drift {4}m {2}\(reload\) together with b\n/)
  t.match(text, /would reload nginx \(reload\) \[once, for b too\]\n/)
  t.match(text, /would run charge \[cannot be undone\]\n/)
})

t.test('a deferred task says when it will be known', async t => {
  const text = textOf(events('dry-run', [host([task({ status: 'deferred', impact: 'restart' })])]))
  t.match(text, /\? deferred m {2}\(restart\) known once the tasks before it are applied/)
})

t.test("a host's escapes never reach the terminal, colours do", async t => {
  const evil = '\u001b]0;evil\u0007\u001b[2J'
  const change = { key: `k${evil}`, path: `/a${evil}`, before: { [`n${evil}`]: evil }, after: { [`n${evil}`]: 'x' } }
  const bad = task({
    label: `m${evil}`,
    status: 'drift',
    changes: [change, { ...saved, diff: `--- /a\n+++ /a\n@@ -1 +1 @@\n-${evil}x\n` }],
    steps: [{ kind: 'run', argv: ['x', evil], impact: 'none' }],
    error: { ...error, message: evil, said: evil, hint: evil },
  })
  const all = events('dry-run', [host([bad], { name: `web1${evil}`, error: { ...error, message: evil } })])
  t.notMatch(textOf(all), '\u001b')
  t.notMatch(textOf(all, { color: true }).replaceAll(/.\[\d+m/g, ''), '\u001b')
  t.match(textOf(all, { color: true }), '\u001b[33m')
})

t.test('of several hosts the summary names those in trouble, the worst first, and those not started', async t => {
  const bad = task({ label: 'pg', status: 'failed', error: { ...error, task: 'pg', message: 'no such luck\nmore' } })
  const lost = { status: 'unreachable', error: { ...error, code: 'connect-timeout', message: 'no answer' } } as const
  const left = { ...error, code: 'not-started', message: 'bad failed, and at most 0 may' }
  const hosts = [
    host([task()], { name: 'fine' }),
    host([], { name: 'lost', ...lost }),
    host([bad], { name: 'bad' }),
    host([], { name: 'd', status: 'skipped', error: left }),
    host([], { name: 'e', status: 'skipped', error: left }),
  ]
  const [begin, ...others] = events('apply', hosts)
  const last = others.at(-1)
  if (!begin || last?.type !== 'end') throw new Error('events begin and end')
  const summary = { hosts: { ok: 1, skipped: 2, unreachable: 1, failed: 1 }, tasks: { ok: 1, failed: 1 } } as const
  const text = textOf([begin, ...others.slice(0, -1), { type: 'end', report: { ...last.report, summary } }])
  t.equal(
    text.slice(text.indexOf('failed      bad')),
    `failed      bad  pg: step-failed: no such luck
unreachable lost  connect-timeout: no answer
not started d, e  bad failed, and at most 0 may
5 hosts (1 failed, 1 unreachable, 2 skipped, 1 ok); tasks: 1 failed, 1 ok; 3.4 s
`,
  )
  t.notMatch(text, /^d /m, 'said once')
})

t.test('a long diff is cut for a terminal, with where the rest is; --verbose cuts nothing', async t => {
  const lines = Array.from({ length: 1000 }, (_, line) => `+line ${line}\n`).join('')
  const long = {
    ...saved,
    before: null,
    diff: `--- /dev/null\n+++ /a\n@@ -0,0 +1,1000 @@\n${lines}+${'x'.repeat(1000)}\n`,
  }
  const all = events('dry-run', [host([{ ...drift, changes: [long] }])])
  const text = textOf(all)
  t.match(
    text,
    '… and 805 more lines: --verbose shows them, and --report json:FILE has all of it\n      would write /a',
  )
  t.notMatch(text, '+line 200\n')
  t.match(textOf(all, { verbose: true }), /\+line 999\n +\+x{1000}\n/)
})

t.test('of many hosts only what is not in sync is named, unless all is asked for', t => {
  const fine = host([task({ label: 'one' }), task({ label: 'two' })], { name: 'fine', status: 'ok' })
  const other = host([task({ label: 'one' }), { ...drift, label: 'two' }], { name: 'other' })
  const many = events('dry-run', [other, ...Array.from({ length: 20 }, () => fine)])
  const text = textOf(many)
  t.match(
    text,
    'other  ok  2 round trips, 1.2 s, 1 task in sync\n  ~ drift    two  (reload)\n      saved /a\n        --- /a\n',
  )
  t.match(text, '\n\nfine  ok  2 round trips, 1.2 s, 2 tasks in sync\nfine  ok')
  t.notMatch(text, 'one')
  const named = 'fine  ok  2 round trips, 1.2 s\n  ✓ ok       one\n'
  t.match(textOf(many, { verbose: true }), named)
  t.match(textOf(events('dry-run', [fine])), named)
  t.end()
})

t.test('of many hosts that were not started some are named', t => {
  const left = { ...error, code: 'not-started', message: 'the run was interrupted' }
  const hosts = Array.from({ length: 900 }, (_, index) =>
    host([], { name: `h${index}`, status: 'skipped', error: left }),
  )
  t.match(textOf(events('apply', hosts)), /^not started h0, .*, h19 and 880 more {2}the run was interrupted$/m)
  t.end()
})
