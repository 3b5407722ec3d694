import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { isSakError, parseUnits } from 'sak-reconcile'
import { logrotate } from 'sak-reconcile/modules'
import { fakeHost, runCases } from 'sak-reconcile/testing'
import t from 'tap'
import { z } from 'zod'
import { parseLogs } from '../../modules/logrotate/logs.ts'
import { parseConfig, tabooGlobs, withoutPatterns } from '../../modules/logrotate/parse.ts'
import { matches } from '../../modules/logrotate/paths.ts'
import { verdictErrors } from '../../modules/logrotate/verdict.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/logrotate', import.meta.url))

t.test('recorded cases', async t => {
  const results = await runCases(fixtures, logrotate)
  t.ok(results.length >= 25, 'there are cases')
  for (const { name, expected, found, left } of results) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left once the files are written`)
  }
  const inGroup = results.find(({ name }) => name === 'directory-of-a-group')
  t.match(JSON.stringify(inGroup?.assessment?.desired), / su root adm\\n/, 'a directory that a group may write to')
})

const systemctlShow = [
  'systemctl',
  'show',
  'logrotate.timer',
  'logrotate.service',
  '-p',
  'ActiveState,TimersCalendar,PrivateTmp,ProtectSystem,MemoryDenyWriteExecute',
]

/** The text that a task would write on a host where nothing is known of the logs. */
async function rendered(stanza: object, options: object = {}): Promise<string> {
  const host = fakeHost({
    files: {
      '/usr/sbin/logrotate': '',
      '/etc/logrotate.conf': 'include /etc/logrotate.d\n',
      '/etc/cron.daily/logrotate': { mode: '0755' },
    },
    commands: [
      { argv: systemctlShow, code: 127 },
      { argv: ['sh', '-s', '--', '/var/log/shop.log'] },
      { argv: ['sh', '-s', '--', '/var/log/a b.log', '/var/log/shop.log'] },
      { argv: ['sh', '-s', '--', '/etc/logrotate.conf'], stdout: 'including /etc/logrotate.d\n' },
    ],
  })
  const task = logrotate.parse({ stanzas: [{ paths: ['/var/log/shop.log'], ...stanza }], ...options })
  const { desired } = await task.assess(host)
  if (!('saved' in desired) || !Array.isArray(desired.saved)) throw new Error('no saved')
  return desired.saved[0].content
}

const body = (text: string) =>
  /\{\n(.*)\n\}\n$/s
    .exec(text)?.[1]
    ?.split('\n')
    .map(line => line.trim())

t.test('options become the directives of the manual', async t => {
  const cases: [object, string[]][] = [
    [{}, ['copytruncate']],
    [{ create: true }, ['create']],
    [{ create: { mode: '640', owner: 'www-data', group: 'adm' } }, ['create 0640 www-data adm']],
    [{ create: false, copytruncate: false }, ['nocopytruncate', 'nocreate']],
    [{ postrotate: 'kill -HUP 1' }, ['postrotate', 'kill -HUP 1', 'endscript']],
    [{ frequency: 'weekly', weekday: 1, copytruncate: true }, ['weekly 1', 'copytruncate']],
    [{ size: '1.5M', copytruncate: true }, ['size 1536k', 'copytruncate']],
    [{ maxsize: '1T', copytruncate: true }, ['maxsize 1024G', 'copytruncate']],
    [{ minsize: '0.5K', copytruncate: true }, ['minsize 512', 'copytruncate']],
    [{ notifempty: false, copytruncate: true }, ['copytruncate', 'ifempty']],
    [{ mail: false, mailfirst: false, copytruncate: true }, ['copytruncate', 'nomail', 'maillast']],
    [{ su: { user: 'app', group: 'adm' } }, ['su app adm', 'copytruncate']],
    [{ su: false }, ['copytruncate']],
    [
      { dateext: true, dateformat: '-%Y', compress: false, rotate: -1 },
      ['rotate -1', 'copytruncate', 'nocompress', 'dateext', 'dateformat -%Y'],
    ],
  ]
  for (const [stanza, expected] of cases) t.same(body(await rendered(stanza)), expected, JSON.stringify(stanza))
  t.match(
    await rendered({ paths: ['/var/log/a b.log', '/var/log/shop.log'] }),
    '\n"/var/log/a b.log" /var/log/shop.log {\n',
  )
})

t.test('what is rendered is read back as it was meant', async t => {
  const { stanzas } = parseConfig(
    await rendered({ rotate: 7, postrotate: 'if true; then\n  echo "}"\nfi', compress: true }),
  )
  t.same(
    stanzas[0]?.patterns.map(pattern => pattern.glob),
    ['/var/log/shop.log'],
  )
  t.same(
    stanzas[0]?.directives.map(({ name }) => name),
    ['rotate', 'compress', 'postrotate'],
  )
})

t.test('mistakes in params name the field and the fix', async t => {
  const cases: [object, RegExp][] = [
    [{ stanzas: [] }, /stanzas/],
    [{ stanzas: [{ paths: ['logs/*.log'] }] }, /stanzas\[0\]\.paths\[0\].*absolute path/],
    [{ stanzas: [{ paths: ['/x/{a,b}.log'] }] }, /braces/],
    [{ stanzas: [{ paths: ['/x/a.log\n}'] }] }, /absolute path/],
    [{ stanzas: [{ paths: ['/x/../a.log'] }] }, /"\."/],
    [{ stanzas: [{ paths: ['/x/*'] }] }, /stanzas\[0\]\.paths: \/x\/\* matches the rotated logs too/],
    [{ stanzas: [{ paths: ['/x/*.log'], dateext: true, extension: '.log' }] }, /matches the rotated logs too/],
    [{ stanzas: [{ paths: ['/x/*.log'], addextension: '.log' }] }, /matches the rotated logs too/],
    [
      { stanzas: [{ paths: ['/x/*.log'], size: '1M', frequency: 'daily' }] },
      /size: overrides the frequency: use maxsize/,
    ],
    [{ stanzas: [{ paths: ['/x/*.log'], copytruncate: true, create: true }] }, /copytruncate: leaves the log in place/],
    [{ stanzas: [{ paths: ['/x/*.log'], weekday: 3 }] }, /weekday: needs frequency/],
    [{ stanzas: [{ paths: ['/x/*.log'], createolddir: true }] }, /createolddir: needs olddir/],
    [{ stanzas: [{ paths: ['/x/*.log'], postrotate: 'echo\nendscript\n}' }] }, /postrotate.*endscript/],
    [{ stanzas: [{ paths: ['/x/*.log'], olddir: 'a b' }] }, /olddir/],
    [{ stanzas: [{ paths: ['/x/*.log'], create: { group: 'adm' } }] }, /create/],
    [{ stanzas: [{ paths: ['/x/*.log'], dateformat: '-%Y\n}' }] }, /dateformat/],
    [{ stanzas: [{ paths: ['/x/*.log'], frequence: 'daily' }] }, /frequence/],
    [{ stanzas: [{ paths: ['/x/*.log'] }, { paths: ['/x/*.log'] }] }, /stanzas\[1\]\.paths: .*stands twice/],
    [{ name: 'sak.bak', stanzas: [{ paths: ['/x/*.log'] }] }, /name: .*passes over/],
  ]
  for (const [params, message] of cases) {
    t.throws(() => logrotate.parse(params), { code: 'invalid-params', message }, JSON.stringify(params))
  }
  t.doesNotThrow(() => logrotate({ stanzas: [{ paths: ['/x/*'], olddir: 'old' }] }))
})

t.test('the parser reads as logrotate does', async t => {
  const text = `compress # default
include /etc/logrotate.d
"/var/log/a b.log" /var/log/c.log
# /var/log/not.log {
'/var/log/d.log' {
  daily missingok
  rotate = 7
  postrotate
    echo } endscript
  endscript
}
/var/log/e.log {
 weekly`
  const { globals, stanzas } = parseConfig(text)
  t.same(globals, [
    { name: 'compress', value: '', line: 1 },
    { name: 'include', value: '/etc/logrotate.d', line: 2 },
  ])
  t.same(
    stanzas.map(stanza => stanza.patterns.map(pattern => pattern.glob)),
    [['/var/log/a b.log', '/var/log/c.log', '/var/log/d.log'], ['/var/log/e.log']],
  )
  t.same(
    stanzas[0]?.directives.map(({ name, value, line }) => [name, value.trim(), line]),
    [
      ['daily', '', 6],
      ['missingok', '', 6],
      ['rotate', '7', 7],
      ['postrotate', 'echo } endscript', 8],
    ],
  )
  t.equal(text.slice(stanzas[0]?.start, stanzas[0]?.end).at(-1), '}')
  t.equal(stanzas[1]?.line, 12)
  t.same(tabooGlobs(parseConfig('tabooext .x, .y\ntaboopat + z*')), ['*.x', '*.y', 'z*'])
})

t.test('a pattern goes, and all other bytes stay', async t => {
  const text = 'a\n"/x y.log"  /z.log\n{\n}\n/q {\n}\nend\n'
  const { stanzas } = parseConfig(text)
  const [first, second] = stanzas
  if (!first || !second) throw new Error('two stanzas')
  t.equal(withoutPatterns(text, first, first.patterns.slice(0, 1)), 'a\n/z.log\n{\n}\n/q {\n}\nend\n')
  t.equal(withoutPatterns(text, first, first.patterns.slice(1)), 'a\n"/x y.log"  {\n}\n/q {\n}\nend\n')
  t.equal(withoutPatterns(text, second, second.patterns), 'a\n"/x y.log"  /z.log\n{\n}\nend\n')
})

const configText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '/var/log/*.log',
        '"/a b"',
        "'",
        '"',
        '\\',
        ' ',
        '\n',
        '\n\n',
        '{',
        '}',
        '#',
        'daily',
        'rotate 7',
        'su a b',
        '=',
        'postrotate',
        'endscript',
        'include /x',
        'tabooext + .z',
        '~/x',
        '\0',
        '\u2028',
        'é',
        'create',
      ),
      { maxLength: 60 },
    )
    .map(parts => parts.join('')),
)

t.test('the parser takes anything', async () => {
  fc.assert(
    fc.property(configText, text => {
      const { stanzas } = parseConfig(text)
      let end = 0
      for (const stanza of stanzas) {
        if (stanza.start < end || stanza.end <= stanza.start || stanza.end > text.length) return false
        end = stanza.end
        let last = stanza.start
        for (const pattern of stanza.patterns) {
          if (pattern.start < last || pattern.end <= pattern.start || pattern.end > stanza.end) return false
          last = pattern.end
        }
        const without = withoutPatterns(text, stanza, stanza.patterns)
        if (!without.startsWith(text.slice(0, stanza.start)) || !text.endsWith(without.slice(stanza.start)))
          return false
      }
      return true
    }),
    { numRuns: 2000 },
  )
})

t.test('hosts may answer anything', async () => {
  const answer = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.string()).map(lines => lines.join('\0')),
  )
  fc.assert(
    fc.property(answer, text => {
      parseUnits(text)
      verdictErrors(text.split('\n'), 'sak', true, () => true)
      matches(text, '/x/*.log')
      matches('/x/a.log', text)
      try {
        parseLogs(text)
      } catch (error) {
        return isSakError(error) && error.code === 'answer-broken'
      }
      return true
    }),
    { numRuns: 2000 },
  )
})

t.test('globs as glob(3) has them', async t => {
  t.ok(matches('/x/a.log', '/x/*.log'))
  t.ok(matches('/x/a{b}', '/x/a{b}'))
  t.notOk(matches('/x/.a.log', '/x/*.log'), 'a dotfile')
  t.notOk(matches('/x/y/a.log', '/x/*.log'))
  t.notOk(matches('/x/y/z/a.log', '/x/**/a.log'), 'no globstar')
  t.notOk(matches('/x/a', '/x/{a,b}'), 'no braces')
  t.ok(matches('/x/b.log', '/x/[!a].log'))
})

t.test('the files of Debian 12 are read whole', async t => {
  const stock = JSON.parse(await readFile(`${fixtures}/stock/case.json`, 'utf8'))
  const files = Object.entries(
    z.record(z.string(), z.looseObject({ content: z.string().default('') })).parse(stock.host.files),
  )
  const configs = files.filter(([path]) => path.startsWith('/etc/logrotate.d/'))
  t.equal(configs.length, 8)
  for (const [path, { content }] of configs) {
    const { stanzas, globals } = parseConfig(content)
    t.same(globals, [], `${path}: all directives are in stanzas`)
    t.equal(stanzas.length, content.match(/^\}/gm)?.length, path)
    t.ok(stanzas.every(stanza => content[stanza.end - 1] === '}' && stanza.patterns.length > 0))
  }
})
