import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { unitName } from '../../modules/swapfile/facts.ts'
import { editFstab, priorityIn } from '../../modules/swapfile/fstab.ts'
import { swapfile } from '../../modules/swapfile/module.ts'
import { escapeField, memoryKiB, parseFileSystem, parseSwaps, unescapeField } from '../../modules/swapfile/parse.ts'
import { isSakError } from '../../src/index.ts'
import { fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/swapfile', import.meta.url)), swapfile)
  t.ok(cases.length >= 45)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      swapfile.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  t.equal(message({}), undefined)
  t.equal(message({ path: '/var/my swap', size: '512M', priority: 0, state: 'absent' }), undefined)
  for (const size of ['2', '1.3M', '512K', '0G', 2, '2GB'])
    t.match(message({ size }), /^swapfile: size: expected/, String(size))
  for (const path of ['swapfile', '/', '/a\nb', '/../etc/shadow']) {
    t.match(message({ path }), /^swapfile: path: expected/, JSON.stringify(path))
  }
  for (const priority of [-1, 32768, 1.5, '5'])
    t.match(message({ priority }), /^swapfile: priority: /, String(priority))
  t.match(message({ swappiness: 10 }), /swappiness/)
})

t.test('what it rules', async t => {
  t.same(swapfile({}).owns, ['/swapfile', 'fstab:/swapfile'])
})

const line = (path: string, options = 'sw') => `${escapeField(path)} none swap ${options} 0 0\n`

t.test('fstab: what is edited', async t => {
  const present = { path: '/swapfile', state: 'present' } as const
  t.equal(editFstab('', present), '/swapfile none swap sw 0 0\n')
  t.equal(editFstab('a b c', present), 'a b c\n/swapfile none swap sw 0 0\n')
  t.equal(editFstab('', { ...present, path: '/my swap\\', priority: 3 }), '/my\\040swap\\134 none swap sw,pri=3 0 0\n')
  t.equal(editFstab('/swapfile\tnone\tswap\tnoauto\t0 0\r\n', present), '/swapfile\tnone\tswap\tsw\t0 0\r\n')
  t.equal(
    editFstab('/swapfile none swap discard,pri=1,pri=2', { ...present, priority: 2 }),
    '/swapfile none swap discard,pri=2',
  )
  t.equal(editFstab('/swapfile none swap  ', { ...present, priority: 2 }), '/swapfile none swap sw,pri=2  ')
  t.equal(
    editFstab('/swapfile none swapper sw 0 0\n', { ...present, state: 'absent' }),
    '/swapfile none swapper sw 0 0\n',
  )
  t.equal(
    editFstab(line('/a') + line('/swapfile') + line('/b') + line('/swapfile'), { ...present, state: 'absent' }),
    line('/a') + line('/b'),
  )
  t.equal(priorityIn('#/swapfile none swap pri=1\n/swapfile none swap sw,pri=2,pri=3\n', '/swapfile'), 3)
  t.equal(priorityIn('/swapfile none swap sw\n/b none swap pri=1', '/swapfile'), undefined)
})

const piece = fc.constantFrom(
  '/swapfile',
  '/swap\\040file',
  'UUID=1',
  ' ',
  '\t',
  'none',
  'swap',
  'sw',
  'noauto',
  ',',
  'pri=5',
  '0',
  '#',
  '\n',
  '\r\n',
  '\u00a0',
  'é',
)
const table = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join('')),
)
const wanted = fc.record({
  path: fc.constantFrom('/swapfile', '/swap file'),
  state: fc.constantFrom('present' as const, 'absent' as const),
  priority: fc.option(fc.integer({ min: 0, max: 32767 }), { nil: undefined }),
})

t.test('fstab: editing twice changes nothing more, and every other line keeps every byte', async () => {
  const names = (text: string, path: string) => unescapeField(/^[ \t]*([^ \t\r\n]*)/.exec(text)?.[1] ?? '') === path
  const others = (content: string, path: string) =>
    (content.match(/[^\n]*\n|[^\n]+$/g) ?? []).filter(text => !names(text, path))
  fc.assert(
    fc.property(table, wanted, (content, want) => {
      const edited = editFstab(content, want)
      const before = others(content, want.path).join('')
      const after = others(edited, want.path).join('')
      return editFstab(edited, want) === edited && (after === before || after === `${before}\n`)
    }),
    { numRuns: 3000 },
  )
})

t.test('fstab: the wanted state is what comes out', async () => {
  fc.assert(
    fc.property(table, wanted, (content, want) => {
      const edited = editFstab(content, want)
      const gone = editFstab(edited, { ...want, state: 'absent' })
      if (want.state === 'absent') return gone === edited
      return gone !== edited && (want.priority === undefined || priorityIn(edited, want.path) === want.priority)
    }),
    { numRuns: 3000 },
  )
})

t.test('what the kernel says', async t => {
  const swaps =
    'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/swap\\040file                           file\t\t65532\t\t12\t\t-2\n/dev/zram0 partition 8 0 100\nnoise\n'
  t.same(parseSwaps(swaps), [
    { path: '/swap file', sizeKiB: 65532, usedKiB: 12, priority: -2 },
    { path: '/dev/zram0', sizeKiB: 8, usedKiB: 0, priority: 100 },
  ])
  t.equal(memoryKiB('MemTotal:        2026012 kB\nMemAvailable:     346352 kB\n', 'MemAvailable'), 346352)
  t.equal(memoryKiB('', 'MemTotal'), 0)
  t.same(parseFileSystem('ext4   2048 1024\n'), { type: 'ext4', totalKiB: 2, freeKiB: 1 })
  t.equal(parseFileSystem(''), undefined)
})

t.test('unit names are those of systemd-escape --path', async t => {
  t.equal(unitName('/swapfile'), 'swapfile.swap')
  t.equal(unitName('/var/my swap/.x-y_z:é'), 'var-my\\x20swap-.x\\x2dy_z:\\xc3\\xa9.swap')
  t.equal(unitName('/.swap'), '\\x2eswap.swap')
})

t.test('no answer breaks the parsers, and paths come back from their fields', async t => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => parseSwaps(text).length >= 0))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => memoryKiB(text, 'MemTotal') >= 0))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => parseFileSystem(text)?.type !== ''))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), path => unescapeField(escapeField(path)) === path))
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async noise => {
      const files = { '/etc/fstab': noise, '/proc/swaps': noise, '/proc/meminfo': noise }
      const said = { stdout: noise, stderr: noise }
      const commands = [
        { argv: ['findmnt', '-bno', 'FSTYPE,SIZE,AVAIL', '-T', '/'], ...said },
        { argv: ['blkid', '-p', '-s', 'TYPE', '-o', 'value', '--', '/swapfile'], ...said },
        { argv: ['cmp', '-n', '1048576', '--', '/swapfile', '/dev/zero'], ...said },
      ]
      const { changes } = await swapfile({}).assess(fakeHost({ files, commands }))
      return changes.some(({ key }) => key === 'running')
    }),
  )
  t.pass()
})
