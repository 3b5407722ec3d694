import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { readConfig } from '../../../modules/nginxconf/config.ts'
import { parseRecord, parseService, runningNow, type Service } from '../../../modules/nginxconf/running.ts'
import { isSakError } from '../../../src/index.ts'
import { type FakeHostState, fakeHost } from '../../../src/testing.ts'

const nginx = '/etc/nginx/nginx.conf'
const a = '/etc/nginx/conf.d/a.conf'
const sha = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

const configOf = (files: NonNullable<FakeHostState['files']>) =>
  readConfig(fakeHost({ files: { [nginx]: 'include conf.d/*.conf;', ...files } }), '/ours')
const service = (known: Partial<Service>): Service => ({
  active: true,
  unitFile: 'enabled',
  workers: ['8 50'],
  since: 500,
  loaded: undefined,
  ...known,
})

t.test('by the time of the last change', async t => {
  const config = await configOf({
    [a]: { content: 'x;', ctime: 500.1, mtime: 1 },
    '/etc/nginx/conf.d': { type: 'directory', ctime: 499 },
  })
  t.same(runningNow(service({}), config), { nginx: 'running', [nginx]: 'loaded', [a]: 'changed since nginx loaded it' })
  t.same(runningNow(service({ since: 501 }), config), { nginx: 'running', [nginx]: 'loaded', [a]: 'loaded' })
  const removed = await configOf({ '/etc/nginx/conf.d': { type: 'directory', ctime: 501 } })
  t.same(runningNow(service({}), removed), {
    nginx: 'running',
    [nginx]: 'loaded',
    '/etc/nginx/conf.d/': 'entries changed since nginx loaded them',
  })
})

t.test('by what we recorded at our reload, whatever the times say', async t => {
  const loaded = new Map([
    [nginx, sha('include conf.d/*.conf;')],
    [a, sha('x;')],
    ['/etc/nginx/conf.d/b.conf', sha('')],
  ])
  const config = await configOf({
    [a]: { content: 'y;', ctime: 1 },
    '/etc/nginx/conf.d/c.conf': { content: '', ctime: 1 },
  })
  t.same(runningNow(service({ loaded }), config), {
    nginx: 'running',
    [nginx]: 'loaded',
    [a]: 'changed since nginx loaded it',
    '/etc/nginx/conf.d/b.conf': 'loaded, but gone',
    '/etc/nginx/conf.d/c.conf': 'not loaded',
  })
  const binary = { ...config, files: [{ kind: 'file' as const, path: a, content: '\u00ff', binary: true as const }] }
  t.match(runningNow(service({ loaded: new Map([[a, sha(Buffer.from([0xff]))]]) }), binary), { [a]: 'loaded' })
})

t.test('stopped, or without workers', async t => {
  const config = await configOf({})
  t.same(runningNow(service({ active: false, workers: [], since: undefined }), config), {
    nginx: 'stopped',
    [nginx]: 'loaded at start',
  })
  t.match(runningNow(service({ workers: [], since: undefined }), config), { nginx: 'without workers' })
})

const lines = (known: Record<string, string>, more: string[] = []) => ({
  code: 0,
  stdout: [...Object.entries(known).map(([name, value]) => `${name}=${value}`), ...more, ''].join('\n'),
  stderr: '',
})
const active = { now: '1000.5', self: '100050', LoadState: 'loaded', ActiveState: 'active', UnitFileState: 'enabled' }

t.test('what the host says of nginx', async t => {
  t.match(parseService(lines(active, ['worker 9 60050', 'worker 8 50050'])), {
    active: true,
    unitFile: 'enabled',
    workers: ['9 60050', '8 50050'],
    since: 500.5,
  })
  t.match(parseService(lines({ ...active, ActiveState: 'failed' })), { active: false, workers: [], since: undefined })
  const refused: [Parameters<typeof parseService>[0], string][] = [
    [{ code: 1, stdout: '', stderr: 'System has not been booted with systemd\n' }, 'unsupported'],
    [lines({ ...active, LoadState: 'masked' }), 'refused'],
    [lines({ ...active, LoadState: 'not-found' }), 'unsupported'],
    [lines({ ...active, ActiveState: 'inactive' }, ['master 77 5']), 'unsupported'],
    [lines(active, ['hidden']), 'needs-root'],
  ]
  for (const [result, code] of refused) t.throws(() => parseService(result), { code })
})

t.test('a record speaks only while one of its workers runs', async t => {
  const text = `worker 8 50\nworker 9 51\n${sha('x')}  /etc/a b\n${sha('y')} */c\nnoise\n`
  t.same(
    [...(parseRecord(text, ['9 51', '10 99']) ?? [])],
    [
      ['/etc/a b', sha('x')],
      ['/c', sha('y')],
    ],
  )
  t.equal(parseRecord(text, ['9 52']), undefined, 'the same number, another process')
  t.equal(parseRecord('', ['9 51']), undefined)
})

t.test('nothing that a host says breaks it', async t => {
  const atom = fc.constantFrom(
    'worker ',
    'now=',
    'self=',
    'LoadState=loaded',
    '\n',
    '1',
    '=',
    'master ',
    ' ',
    'x',
    '\u0000',
  )
  fc.assert(
    fc.property(fc.array(atom, { maxLength: 40 }), fc.nat(2), (atoms, code) => {
      try {
        parseService({ code, stdout: atoms.join(''), stderr: atoms.join('') })
      } catch (error) {
        if (!isSakError(error)) throw error
      }
      parseRecord(atoms.join(''), ['1 1'])
    }),
    { numRuns: 1000 },
  )
  t.pass()
})
