import { createHash } from 'node:crypto'
import t from 'tap'
import { htmlReport } from '../../src/reports/html.ts'
import { largeReport } from './large-report.ts'
import { messyReport } from './messy-report.ts'
import { drift, host, report, task, written } from './run-events.ts'

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length

t.test('what a host said is text, and nothing but our own style and script may act', async t => {
  const page = written(messyReport, htmlReport)
  t.notMatch(page, '<img')
  t.equal(count(page, /<script/g), 1)
  const digest = (text: string | undefined) =>
    `'sha256-${createHash('sha256')
      .update(text ?? '')
      .digest('base64')}'`
  const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(page) ?? []
  const own = {
    style: digest(/<style>([\s\S]*?)<\/style>/.exec(page)?.[1]),
    script: digest(/<script>([\s\S]*?)<\/script>/.exec(page)?.[1]),
  }
  t.equal(
    policy?.replaceAll('&#39;', "'"),
    `default-src 'none'; style-src ${own.style}; script-src ${own.script}; base-uri 'none'; form-action 'none'`,
  )
  t.notMatch(page, /(?:src|href)="(?!#)/, 'it needs nothing from elsewhere')
})

t.test('what differs alike on many hosts is shown once', async t => {
  const alike = [
    host('a', [drift()]),
    host('b', [drift()]),
    host('c', [task()]),
    host('d', [drift({ status: 'pending' })]),
  ]
  const page = written(report(alike), htmlReport)
  t.equal(count(page, /<section class="detail"/g), 2)
  t.match(page, /<span class="drift">drift<\/span> m<\/h3>\n<p>on a, b<\/p>/)
  t.equal(count(page, /href="#d1"/g), 2)
  t.match(page, /<ins>\+y\n<\/ins>/)
})

t.test('memory: a bar for all hosts that plan alike, those over budget first', async t => {
  const budget = (plannedMiB: number) => ({
    ramMiB: 2000,
    plannedMiB,
    parts: [{ task: 'app', MiB: plannedMiB, what: 'x' }],
  })
  const hosts = ['a', 'b', 'c'].map(name => host(name, [task()], { budget: budget(name === 'c' ? 2500 : 1000) }))
  const page = written(report(hosts), htmlReport)
  t.match(
    page,
    /<strong>c<\/strong> 2500 of 2000 MiB planned \(125%\)[\s\S]*over budget[\s\S]*<strong>a, b<\/strong> 1000 of 2000 MiB/,
  )
  t.equal(count(page, /<figure>/g), 2)
  t.notMatch(written(report([host('a', [task()])]), htmlReport), '<figure>')
})

t.test('advice, each piece once for all hosts that it is for, and what is silenced', async t => {
  const hosts = Array.from({ length: 7 }, (_, n) => host(`web${n}`, [task()]))
  const piece = { id: 'too-loud', task: 'amp', message: 'is too <loud>', suggestion: 'level: 7', source: 'a manual' }
  const advice = [...hosts.map(({ name }) => ({ ...piece, host: name })), { ...piece, host: 'web0', task: 'horn' }]
  const silencedAdvice = hosts.map(({ name }) => ({ id: 'too-low', host: name, task: 'amp', reason: 'tested' }))
  const page = written(report(hosts, { advice, silencedAdvice }), htmlReport)
  t.match(page, /<strong>too-loud<\/strong> amp on web0, web1, web2, web3, web4 and 2 more<p>is too &lt;loud&gt;<\/p>/)
  t.match(page, /<strong>too-loud<\/strong> horn on web0<p>[\s\S]*Rather: level: 7[\s\S]*a manual/)
  t.match(page, 'Silenced: too-low (tested)</p>')
  t.equal(count(page, /too-loud/g), 2)
  t.notMatch(written(report(hosts), htmlReport), 'Advice')
})

t.test('a timeline where there is a history: what is there longest first, then what was resolved last', async t => {
  const span = (what: string, firstSeen: string, resolvedAt: string | null) => ({
    host: 'a',
    task: 'm',
    what,
    firstSeen,
    resolvedAt,
  })
  const timeline = [
    span('gone first', '2026-11-19T10:00:00.000Z', '2026-11-20T10:00:00.000Z'),
    span('young', '2026-11-23T09:30:03.400Z', null),
    span('gone last', '2026-11-20T10:00:00.000Z', '2026-11-20T10:00:10.000Z'),
    span('old', '2026-11-21T08:00:03.400Z', null),
  ]
  const page = written(report([host('a', [drift()])], { timeline }), htmlReport)
  const rows = [
    ...page.matchAll(
      /<td>([a-z ]+)<\/td><td>[-\d: ]+<\/td><td>([^<]+)<\/td><td><svg class="span".*x="([\d.]+)" width="([\d.]+)"/g,
    ),
  ]
  t.same(
    rows.map(([, ...found]) => found),
    [
      ['old', '2 d 2 h, still', '474.4', '525.6'],
      ['young', '30 min, still', '984.8', '15.2'],
      ['gone last', 'less than a minute', '247.5', '10.0'],
      ['gone first', '1 d', '0.0', '257.5'],
    ],
  )
  t.match(page, '2026-11-19 to 2026-11-23')
  t.notMatch(written(report([host('a', [drift()])]), htmlReport), 'Timeline')
})

t.test('a thousand hosts fit in a mail', async t => {
  for (const alike of [true, false]) {
    const page = written(largeReport(1000, { alike }), htmlReport)
    t.ok(Buffer.byteLength(page) < 3_000_000, `${Buffer.byteLength(page)} bytes`)
    t.equal(count(page, /<tr><th scope="row">web/g), 1000)
    t.equal(page.includes('More differs than fits in a page'), !alike)
  }
})

t.test('a run of nothing is a page too', async t => {
  t.match(written(report([]), htmlReport), '0 hosts')
})
