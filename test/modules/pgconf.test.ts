import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { findCluster } from '../../modules/pgconf/cluster.ts'
import { commentOut, follow } from '../../modules/pgconf/configuration.ts'
import { pgconf } from '../../modules/pgconf/module.ts'
import { withoutOption } from '../../modules/pgconf/overrides.ts'
import {
  parseControlData,
  parseLines,
  parseLock,
  parsePreflight,
  parseStart,
  parseStatus,
  quoteValue,
} from '../../modules/pgconf/parse.ts'
import { meaningOf, type Setting, sameSetting, show } from '../../modules/pgconf/values.ts'
import { type FileState, isSakError, type Step } from '../../src/index.ts'
import { FakeHostState, fakeHost, runCases } from '../../src/testing.ts'

const results = runCases(fileURLToPath(new URL('../../fixtures/pgconf', import.meta.url)), pgconf)

async function assessed(name: string) {
  const result = (await results).find(each => each.name === name)
  if (!result?.assessment) throw new Error(`no assessment of ${name}`)
  return result.assessment
}

/** What a key differs in: entries that are the same on both sides left out. */
async function differing(name: string, key: string) {
  const change = (await assessed(name)).changes.find(each => each.key === key)
  const entries = (value: unknown) => Object.entries(value ?? {})
  const before = new Map(entries(change?.before))
  const after = new Map(entries(change?.after))
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names
    .filter(each => before.get(each) !== after.get(each))
    .map(each => [each, before.get(each), after.get(each)])
}

/** The recorded host of a case, to look at it with other params or to change something on it. */
async function hostOf(name: string) {
  const text = await readFile(new URL(`../../fixtures/pgconf/${name}/case.json`, import.meta.url), 'utf8')
  return z.object({ host: FakeHostState }).parse(JSON.parse(text)).host
}

const messages = async (name: string) => (await assessed(name)).blocked.map(error => error.message)
const steps = async <K extends Step['kind']>(name: string, kind: K) =>
  (await assessed(name)).steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind)

t.test('cases', async t => {
  t.ok((await results).length >= 40)
  for (const { name, expected, found, left } of await results) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

t.test('what runs is compared by meaning, and shown as SHOW does', async t => {
  t.same(await differing('stock', 'running'), [
    ['effective_cache_size', '4GB', '512MB'],
    ['effective_io_concurrency', '1', '200'],
    ['maintenance_work_mem', '64MB', '32MB'],
    ['max_connections', '100', '50'],
    ['random_page_cost', '4', '1.1'],
    ['work_mem', '4MB', '2MB'],
  ])
  t.same(await differing('not-reloaded', 'running'), [['work_mem', '16MB', '2MB']])
  t.same(await differing('not-restarted', 'running'), [['max_connections', '60', '50']])
  t.same(await differing('down', 'running'), [['server', 'down', 'up']])
  t.same(await differing('released', 'running'), [
    ['effective_cache_size', '512MB', '4GB'],
    ['effective_io_concurrency', '200', '1'],
    ['maintenance_work_mem', '32MB', '64MB'],
    ['max_connections', '50', '100'],
    ['random_page_cost', '1.1', '4'],
  ])
})

t.test('a value that the server spells in its own way is in sync once it has read our file as that is now', async t => {
  const host = await hostOf('kinds-in-sync')
  const params = { settings: { huge_pages: '0' } }
  const path = '/etc/postgresql/15/main/conf.d/60-sak.conf'
  const file = host.files[path]
  if (!file) throw new Error('no file of ours')
  const content = '# Managed by sak-reconcile: changes made by hand are undone.\nhuge_pages = 0\n'
  const change = async (ctime: number) => {
    const found = await pgconf(params).assess(
      fakeHost({ ...host, files: { ...host.files, [path]: { ...file, content, ctime } } }),
    )
    return found.changes.map(({ key }) => key)
  }
  t.same(await change(file.ctime), [])
  t.same(await change(file.ctime + 3600), ['running'], 'the file is younger than what the server has read')
})

t.test('a standby may have as much as its primary', async t => {
  const host = fakeHost(await hostOf('standby'))
  const of = async (max_connections: number) => {
    const found = await pgconf({ cluster: '15/standby', settings: { max_connections } }).assess(host)
    return found.blocked.map(({ code }) => code)
  }
  t.same(await of(99), ['refused'])
  t.same(await of(100), [])
})

t.test('a restart says what it brings along, and is awaited where the server will listen', async t => {
  t.same(
    (await differing('port-pending', 'running')).filter(([name]) => name === 'port'),
    [['port', '5432', '6000']],
  )
  const [proof] = await steps('port-pending', 'waitFor')
  t.ok(proof?.argv.includes('6000'))
})

t.test('every override is named with its place', async t => {
  t.same(await messages('alter-system'), [
    'ALTER SYSTEM sets random_page_cost to 3, which wins over ours',
    'ALTER SYSTEM sets work_mem to 64MB, which wins over ours',
  ])
  t.same(await messages('roles-and-databases'), [
    'role odd name in database shop sets work_mem to 4096, which wins over ours',
    'database shop sets random_page_cost to 2, which wins over ours',
    'role app sets work_mem to 64MB, which wins over ours',
    'all roles sets effective_cache_size to 1GB, which wins over ours',
  ])
  t.match(await messages('command-line'), [/^the command line .*pg_ctl.conf.* sets work_mem to 64MB/])
  t.match(await messages('command-line-of-unit'), [/^the command line .*postmaster.opts.* sets work_mem to 7MB/])
  t.match(await messages('later-files'), [
    /conf.d\/99-tuned.conf line 3 sets max_connections to 200/,
    /conf.d\/99-tuned.conf line 2 sets work_mem to 64MB/,
    /postgresql.conf line \d+ sets work_mem to 8MB/,
  ])
  t.same(await messages('alter-system-harmless'), [])
})

t.test('overrides are removed and nothing else', async t => {
  const writes = await steps('later-files-removed', 'write')
  const tuned = writes.find(({ path }) => path.endsWith('99-tuned.conf'))
  t.equal(tuned?.content, '# a tuner\n#work_mem = 64MB # bigger\n#max_connections=200\nrandom_page_cost = 1.10\n')
  t.match(tuned, { mode: undefined, owner: undefined }, 'the file stays whose it was')
  const [options] = await steps('command-line-removed', 'write')
  t.match(options?.content, /^pg_ctl_options = ' -t 90'$/m)
  const [first, last] = (await steps('roles-and-databases-removed', 'waitFor')).map(({ stdin }) => stdin ?? '')
  t.notMatch(first, /effective_cache_size/, 'what a role hides is not awaited before it is reset')
  t.match(last, /'effective_cache_size', '65536'/)
  const resets = (await steps('roles-and-databases-removed', 'run')).filter(({ argv }) => argv.includes('-c'))
  t.same(
    resets.map(({ undo }) => (Array.isArray(undo) ? undo.map(({ argv }) => argv.at(-1)) : undo)),
    [
      [`ALTER ROLE "odd name" IN DATABASE "shop" SET work_mem = '4096'`],
      [`ALTER DATABASE "shop" SET random_page_cost = '2'`],
      [`ALTER ROLE "app" SET work_mem = '64MB'`],
      [`ALTER ROLE ALL SET effective_cache_size = '1GB'`],
    ],
  )
})

t.test('where conf.d is not read, only our file is included', async t => {
  const writes = await steps('not-included', 'write')
  const top = writes.find(({ path }) => path.endsWith('postgresql.conf'))
  t.match(top?.content, /\ninclude_if_exists = 'conf.d\/60-sak.conf'\n$/)
  t.match(top?.content, /^#include_dir/m)
})

t.test('refusals say what to do', async t => {
  t.match(await messages('two-clusters-named'), [])
  t.match(await messages('broken-elsewhere'), [/broken already, and not by us: .*10-bad.conf" line 1/])
  t.match(await messages('unreadable-elsewhere'), [/10-bad.conf": Permission denied/])
  t.match(await messages('refused-values'), [
    'autovacuum_max_workers: "many" is not a number',
    'autovacuum_naptime: 0 is outside 1s to 2147483s',
    'block_size cannot be changed, only seen',
    /^fsync: "perhaps" is not a boolean/,
    /^log_min_duration_statement: "3 weeks": its units are d, h, min, s, ms, us/,
  ])
  const [unknown] = (await assessed('unknown-setting')).blocked
  t.match(unknown, { message: 'PostgreSQL 15 has no setting shared_bufers', hint: 'did you mean shared_buffers?' })
  t.match(await messages('standby'), [/max_connections = 50 on a standby whose primary has 100/, /role app/])
  t.match(await messages('port-of-another'), [/is taken by the server of \/etc\/postgresql\/15\/main/])
  t.equal((await messages('as-a-plain-user')).length, 1, 'what needs root is said once')
})

t.test('several clusters must be told apart', async t => {
  const files = ['13/main', '15/main'].map(name => ({
    kind: 'file' as const,
    path: `/etc/postgresql/${name}/postgresql.conf`,
    content: '',
    owner: 'root',
  }))
  t.throws(() => findCluster(files, undefined), { code: 'refused', message: 'there are 2 clusters: 13/main, 15/main' })
  t.throws(() => findCluster(files, '16/main'), { code: 'not-installed' })
  t.match(findCluster(files, '13/main'), { unit: 'postgresql@13-main', owner: 'postgres' })
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      pgconf.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  t.match(message({ settings: { shared_buffers: '128M' } }), /settings.shared_buffers: expected memory .*"128MB"/)
  t.match(message({ settings: { shared_buffers: 128 } }), /settings.shared_buffers: expected memory/)
  t.match(message({ settings: { work_mem: '1kB' } }), /at least "64kB"/)
  t.match(message({ settings: { wal_buffers: '1kB' } }), /wal_buffers: expected at least "32kB"/)
  t.match(message({ settings: { wal_buffers: '4M' } }), /wal_buffers: expected memory .*"4MB", or -1/)
  t.match(message({ settings: { max_connections: 0 } }), /settings.max_connections/)
  t.match(message({ settings: { checkpoint_completion_target: 2 } }), /checkpoint_completion_target/)
  t.match(message({ settings: { log_line_prefix: "x'\nport = 1" } }), /without line breaks/)
  t.match(message({ settings: { 'a = 1\nb': 1 } }), /name of a PostgreSQL setting/)
  t.match(message({ settings: { include_dir: '/tmp' } }), /cannot be set here/)
  t.match(message({ settings: { data_directory: '/tmp' } }), /cannot be set here/)
  t.match(message({ settings: { TimeZone: 'UTC', timezone: 'UTC' } }), /given twice/)
  t.match(message({ settings: { jit: Number.NaN } }), /settings.jit/)
  t.match(message({ settings: {}, cluster: 'main' }), /"15\/main"/)
  t.match(message({ settings: {}, file: '../x.conf' }), /file: expected a file name/)
  t.match(message({ settings: {}, setings: {} }), /setings/)
  t.equal(
    message({ settings: { wal_buffers: -1, 'auto_explain.log_analyze': true, log_line_prefix: "%m it's \\" } }),
    undefined,
  )
})

const setting = (given: Partial<Setting>): Setting => ({
  name: 'x',
  setting: '0',
  unit: null,
  vartype: 'integer',
  context: 'user',
  source: 'default',
  file: null,
  min: null,
  max: null,
  enum: null,
  boot: null,
  pending: false,
  ...given,
})

t.test('values mean what PostgreSQL makes of them', async t => {
  const known = (text: string, given: Partial<Setting>) => {
    const meaning = meaningOf(text, setting(given))
    return meaning.kind === 'known' ? meaning.setting : meaning.kind
  }
  const pages = { unit: '8kB', min: '16' }
  t.equal(known('128MB', pages), '16384')
  t.equal(known(' 128 MB ', pages), '16384')
  t.equal(known('16384', pages), '16384')
  t.equal(known('0x4000', pages), '16384')
  t.equal(known('040000', pages), '16384', 'octal')
  t.equal(known('0.5GB', pages), '65536')
  t.equal(known('30.1GB', { unit: 'kB' }), String(30822 * 1024), 'a fraction is rounded to the next smaller unit')
  t.equal(known('128mb', pages), 'refused')
  t.equal(known('128s', pages), 'refused')
  t.equal(known('64kB', pages), 'refused')
  t.equal(known('2min', { unit: 'ms' }), '120000')
  t.equal(known('1d', { unit: 'min' }), '1440')
  t.equal(known('1500us', { unit: 'ms', vartype: 'real' }), '1.5')
  t.equal(known('-1', { unit: '8kB', min: '-1' }), 'open')
  t.equal(known('2', { name: 'wal_buffers', unit: '8kB', min: '-1' }), '4', 'raised without a word')
  t.equal(known('1.1e0', { vartype: 'real' }), '1.1')
  t.equal(known('', {}), 'refused')
  const bool = { vartype: 'bool' } as const
  for (const text of ['on', 'TRUE', 't', 'y', 'yes', '1', 'tru']) t.equal(known(text, bool), 'on', text)
  for (const text of ['off', 'of', 'false', 'f', 'n', '0']) t.equal(known(text, bool), 'off', text)
  for (const text of ['o', '', '2', 'onn']) t.equal(known(text, bool), 'refused', text)
  t.equal(known('REPLICA', { vartype: 'enum', enum: ['minimal', 'replica'] }), 'replica')
  t.equal(known('archive', { vartype: 'enum', enum: ['minimal', 'replica'] }), 'open')
  t.equal(show('16384', { unit: '8kB', vartype: 'integer' }), '128MB')
  t.equal(show('3', { unit: '8kB', vartype: 'integer' }), '24kB')
  t.equal(show('1048577', { unit: 'kB', vartype: 'integer' }), '1048577kB')
  t.equal(show('90', { unit: 's', vartype: 'integer' }), '90s')
  t.equal(show('-1', { unit: 'ms', vartype: 'integer' }), '-1')
  t.equal(show('0.2', { unit: 'ms', vartype: 'real' }), '200us')
  t.ok(sameSetting('0.123457', '0.123456789', { vartype: 'real' }))
  t.notOk(sameSetting('1.1', '1.2', { vartype: 'real' }))
})

t.test('a number shown means itself', async () => {
  const units = fc.constantFrom('B', 'kB', '8kB', 'MB', 'ms', 's', 'min')
  fc.assert(
    fc.property(units, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (unit, value) => {
      const row = setting({ unit })
      const meaning = meaningOf(show(String(value), row), row)
      return meaning.kind === 'known' && meaning.setting === String(value)
    }),
  )
})

t.test('configuration files', async t => {
  const values = (content: string) => parseLines(content).map(({ number, name, value }) => [number, name, value])
  t.same(values("a = 1\n#b = 2\n\n  C 'it''s' # x\n d.e='x\\'\\n\\101'\r\nf= g-h.i/j:k\n"), [
    [1, 'a', '1'],
    [4, 'c', "it's"],
    [5, 'd.e', "x'\nA"],
    [6, 'f', 'g-h.i/j:k'],
  ])
  t.same(
    values("a = = 1\nb\nc = 'open\n= 4\nd = 1 2\nwork_mem\na.b.c = 1\nd = a.b\ne = %\nf 64kB7\n"),
    [],
    'what PostgreSQL cannot read sets nothing',
  )
})

t.test('a value quoted and read again is itself', async () => {
  const text = fc
    .string({ unit: 'binary' })
    .map(value => [...value].filter(each => each >= ' ' && each !== '\u007f').join(''))
  fc.assert(
    fc.property(text, value => {
      const lines = parseLines(`x = ${quoteValue(value)}`)
      return lines.length === 1 && lines[0]?.value === value
    }),
    { numRuns: 500 },
  )
})

t.test('no content breaks a parser or costs a byte', async t => {
  const pieces = fc.constantFrom(
    "'",
    '\\',
    '\n',
    ' ',
    '=',
    '#',
    'work_mem',
    '64MB',
    '\r',
    '\0',
    '"',
    '.',
    'é',
    'include',
    '0',
  )
  const content = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(content, text => {
      const lines = parseLines(text)
      const all = text.split('\n').map((_, index) => index + 1)
      const out = commentOut(text, all)
      const back = out.split('\n').map(line => line.slice(1))
      parseLock(text)
      parseStart(text)
      parseControlData(text)
      parsePreflight({ code: 1, stdout: '', stderr: text })
      withoutOption(text, 'work_mem')
      return lines.every(line => line.number <= all.length) && back.join('\n') === text && parseLines(out).length === 0
    }),
    { numRuns: 1000 },
  )
  t.throws(() => parseStatus({ code: 0, stdout: '{"version":15', stderr: '' }), { code: 'answer-broken' })
  t.throws(() => parseStatus({ code: 0, stdout: '{}', stderr: '' }), { code: 'answer-broken' })
})

t.test('includes are followed in order, and never for ever', async t => {
  const state = (path: string, content: string): [string, FileState] => [path, { kind: 'file', path, content }]
  const tree = {
    files: new Map([
      state(
        '/c/postgresql.conf',
        "a = 1\ninclude 'x.conf'\na = 3\ninclude_dir = 'd'\ninclude_if_exists '/e/none.conf'\n",
      ),
      state('/c/x.conf', "a = 2\ninclude 'x.conf'\n"),
      state('/c/d/b.conf', 'b = 2'),
      state('/c/d/a.conf', 'b = 1'),
      state('/c/d/.hidden.conf', 'b = 3'),
      state('/c/d/not.txt', 'b = 4'),
    ]),
    listed: new Set(['/c/d']),
  }
  const { entries, unknown } = follow('/c/postgresql.conf', tree)
  t.same(
    entries.filter(({ path }) => path !== '/c/x.conf').map(({ name, value }) => name + value),
    ['a1', 'a3', 'b1', 'b2'],
  )
  t.equal(entries.filter(({ path }) => path === '/c/x.conf').length, 10, "as deep as PostgreSQL's own limit")
  t.same(unknown, { files: ['/e/none.conf'], directories: [] })
})

t.test('other answers of a host', async t => {
  t.same(parseLock('66\n/var/lib/postgresql/15/main\n1795468094\n5432\n/var/run/postgresql\n'), {
    dataDirectory: '/var/lib/postgresql/15/main',
    port: '5432',
    socket: '/var/run/postgresql',
  })
  t.equal(parseStart('# auto\nmanual\n'), 'manual')
  t.equal(parseStart(null), 'auto')
  t.match(parseStatus({ code: 2, stdout: '', stderr: 'psql: error: ... failed: Connection refused' }), { kind: 'down' })
  t.match(parseStatus({ code: 2, stdout: '', stderr: 'FATAL: the database system is starting up' }), {
    kind: 'refused',
  })
  t.same(
    parsePreflight({
      code: 1,
      stdout: '',
      stderr: '2026-11-23 21:16:20 GMT [259] LOG:  syntax error in file "/e/x.conf" line 1\n',
    }),
    { said: 'LOG:  syntax error in file "/e/x.conf" line 1', files: ['/e/x.conf'] },
  )
  t.equal(withoutOption("pg_ctl_options = '-o --work_mem=1MB -s'\n", 'work_mem'), "pg_ctl_options = ' -s'\n")
  t.equal(withoutOption("pg_ctl_options = '-o -cwork_mem=1MB'\n", 'work_mem'), "pg_ctl_options = ''\n")
  t.equal(withoutOption("pg_ctl_options = '-o --work_mem_x=1MB'\n", 'work_mem'), undefined)
  t.equal(withoutOption("# pg_ctl_options = '-o --work_mem=1MB'\n", 'work_mem'), undefined)
})
