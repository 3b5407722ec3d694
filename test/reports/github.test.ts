import t from 'tap'
import { githubReport, githubSummary } from '../../src/reports/github.ts'
import { messyReport } from './messy-report.ts'
import { drift, error, host, report, task, written } from './run-events.ts'

t.test('errors for what failed or cannot be judged, warnings for what differs', async t => {
  const hosts = [
    host('web1', [
      drift(),
      task({
        label: 'b',
        status: 'blocked',
        error: error({ code: 'needs-root', message: '100%', step: null, said: null }),
      }),
    ]),
    host('web2', [], {
      status: 'unreachable',
      error: error({ code: 'connect-timeout', step: null, said: null, hint: null }),
    }),
    host('web3', [task()]),
  ]
  t.equal(
    written(report(hosts), githubReport),
    `::error title=web1%3A b::blocked: needs-root: 100%25%0Aneeds-root: 100%25%0A  hint look there
::error title=web2%3A connect-timeout::connect-timeout: run x: exit 9
::warning title=web1%3A m::drift: saved /a%0Asaved /a%0A  --- /a%0A  +++ /a%0A  @@ -1 +1 @@%0A  -x%0A  +y%0Awould write /a
3 hosts: 1 drift, 1 unreachable, 1 ok. Nothing was changed.
`,
  )
})

t.test('a host gives no command to the workflow', async t => {
  const lines = written(messyReport, githubReport).trimEnd().split('\n')
  for (const line of lines.slice(0, -1)) {
    t.match(line, /^::(error|warning) title=[^:,]+::/)
    t.notOk(line.includes('\r') || line.includes('\u001b'))
  }
  t.match(lines.at(-1), /^4 hosts: /)
})

t.test('as many as GitHub shows, the last one counts the others', async t => {
  const many = Array.from({ length: 25 }, (_, index) => host(`web${index}`, [drift()]))
  const warnings = written(report(many), githubReport)
    .split('\n')
    .filter(line => line.startsWith('::warning'))
  t.equal(warnings.length, 10)
  t.match(warnings.at(-1), /title=and 16 more::web9: m%0Aweb10: m/)
  const ten = written(report(many.slice(0, 10)), githubReport)
  t.notMatch(ten, 'more')
})

t.test('the page of the run: a row for each task that needs a look, as text and nothing else', async t => {
  const page = githubSummary(report([host('web1', [drift({ label: 'a|b*<i>' }), task()]), host('web2', [task()])]))
  t.equal(
    page,
    `### sak-reconcile web

2 hosts: 1 drift, 1 ok. Nothing was changed.

| host | task | status | |
| --- | --- | --- | --- |
| web1 | a&#124;b&#42;&lt;i> | drift | saved /a |
`,
  )
  t.notMatch(githubSummary(messyReport), /<img|\]\(/)
  const many = Array.from({ length: 10_000 }, (_, index) => host(`web${index}`, [drift()]))
  t.ok(githubSummary(report(many)).length < 100_000)
  t.match(githubSummary(report(many)), 'and 9800 more')
})
