import t from 'tap'
import { junitReport } from '../../src/reports/junit.ts'
import { messyReport } from './messy-report.ts'
import { drift, error, host, report, task, written } from './run-events.ts'

t.test('a suite per host, a test case per task: drift is a failure, what cannot be judged an error', async t => {
  const hosts = [
    host('web1', [task({ label: 'one' }), drift({ label: 'two' }), task({ label: 'three', status: 'skipped' })]),
    host('web2', [
      task({
        label: 'one',
        status: 'blocked',
        error: error({ code: 'needs-root', message: 'a < b', step: null, said: null }),
      }),
    ]),
    host('web3', [], {
      status: 'unreachable',
      error: error({ code: 'connect-timeout', message: 'no answer', step: null, said: null, hint: null }),
    }),
  ]
  t.equal(
    written(report(hosts), junitReport),
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sak-reconcile web" tests="5" failures="1" errors="2" time="3.400">
  <testsuite name="web1" tests="3" failures="1" errors="0" skipped="1" timestamp="2026-11-23T10:00:00" hostname="web1" time="1.200">
    <testcase name="one" classname="web1"/>
    <testcase name="two" classname="web1"><failure type="drift" message="drift: saved /a">saved /a
  --- /a
  +++ /a
  @@ -1 +1 @@
  -x
  +y
would write /a</failure></testcase>
    <testcase name="three" classname="web1"><skipped>skipped</skipped></testcase>
  </testsuite>
  <testsuite name="web2" tests="1" failures="0" errors="1" skipped="0" timestamp="2026-11-23T10:00:00" hostname="web2" time="1.200">
    <testcase name="one" classname="web2"><error type="needs-root" message="blocked: needs-root: a &lt; b">needs-root: a &lt; b
  hint look there</error></testcase>
  </testsuite>
  <testsuite name="web3" tests="1" failures="0" errors="1" skipped="0" timestamp="2026-11-23T10:00:00" hostname="web3" time="1.200">
    <testcase name="host" classname="web3"><error type="connect-timeout" message="unreachable: connect-timeout: no answer">connect-timeout: no answer</error></testcase>
  </testsuite>
</testsuites>
`,
  )
})

t.test('every status that is not in sync is told, and nothing that XML cannot hold', async t => {
  const xml = written(messyReport, junitReport)
  t.match(xml, 'tests="11" failures="3" errors="5"')
  t.match(xml, '<failure type="pending"')
  t.match(xml, '<failure type="deferred" message="deferred: known once')
  t.match(xml, '<error type="not-started"')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  t.notMatch(xml, /[\u0000-\u0008\u000b-\u001f\uffff]|\p{Surrogate}/u)
  t.notMatch(xml, '<img')
})

t.test('a diff of any length fits', async t => {
  const diff = `--- /a\n+++ /a\n${'+line\n'.repeat(5000)}+${'x'.repeat(1e6)}\n`
  const huge = drift({ changes: [{ key: 'saved', path: '/a', before: '', after: '', diff }], steps: [] })
  const xml = written(report([host('web1', [huge])]), junitReport)
  t.match(xml, '… and 4804 more lines')
  t.ok(xml.length < 20_000)
})
