import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { findOverrides, mendOverrides } from '../../modules/sysctl/boot.ts'
import { canonicalKey, keyPath, words } from '../../modules/sysctl/keys.ts'
import { sysctl } from '../../modules/sysctl/module.ts'
import { commentOut, isReadOnly, parseAssignments } from '../../modules/sysctl/parse.ts'
import { file, isSakError } from '../../src/index.ts'
import { fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/sysctl', import.meta.url)), sysctl)
  t.ok(cases.length >= 20)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

t.test('the file is as people would write it', async t => {
  const { desired } = await sysctl({
    settings: { 'vm.swappiness': 10, 'net/ipv4/tcp_rmem': '4096  131072\t6291456' },
  }).assess(fakeHost({}))
  t.match(desired, {
    saved: {
      path: '/etc/sysctl.d/60-sak.conf',
      content:
        '# Managed by sak-reconcile: changes made by hand are undone.\nvm.swappiness = 10\nnet.ipv4.tcp_rmem = 4096 131072 6291456\n',
    },
  })
})

t.test('an override is named by its file, and by the link through which it is read', async t => {
  const { blocked } = await sysctl({ settings: { 'vm.swappiness': 10 } }).assess(
    fakeHost({
      files: {
        '/sbin/sysctl': '',
        '/proc/sys/vm/swappiness': '60\n',
        '/etc/sysctl.d/99-sysctl.conf': { content: 'vm.swappiness = 60\n', realPath: '/etc/sysctl.conf' },
      },
    }),
  )
  t.match(blocked, [
    {
      message:
        '/etc/sysctl.conf:1 (through /etc/sysctl.d/99-sysctl.conf) sets vm.swappiness = 60 at boot, after our file',
    },
  ])
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      sysctl.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  t.equal(message({ settings: { 'vm.swappiness': 10, 'net.ipv4.conf.eth0/100.rp_filter': '1' } }), undefined)
  for (const key of [
    'swappiness',
    'vm..swappiness',
    '../etc/passwd',
    'net.ipv4.conf.*.rp_filter',
    '-vm.x',
    'vm.x\n',
    'vm.x=1',
  ]) {
    t.match(
      message({ settings: { [key]: 1 } }),
      /expected a kernel parameter such as "vm.swappiness"/,
      JSON.stringify(key),
    )
  }
  for (const value of ['', ' ', 'a\nb', 'a\rb', 'a\0', 1.5, Number.NaN, true, null, [1], 2 ** 60]) {
    t.match(
      message({ settings: { 'vm.x': value } }),
      /settings\["vm.x"\]: expected a whole number/,
      JSON.stringify(value),
    )
  }
  for (const path of [
    '/etc/sysctl.conf',
    '/etc/sysctl.d/60-sak',
    '/etc/sysctl.d/.x.conf',
    '/etc/sysctl.d/a/b.conf',
    'x.conf',
  ]) {
    t.match(message({ settings: { 'vm.x': 1 }, path }), /^sysctl: path: expected/, path)
  }
  t.match(message({ settings: {} }), /settings: expected at least one kernel parameter/)
  t.match(message({ settings: { 'vm.drop_caches': 3 } }), /acts when it is written/)
  t.match(message({ settings: { 'vm.dirty_bytes': 1, 'vm.dirty_ratio': 20 } }), /exclude each other/)
  t.match(message({ settings: { 'vm.x': 1, 'vm/x': 2 } }), /set twice, in two spellings/)
  t.match(message({ settings: { 'vm.x': 1 }, file: '/x' }), /file/)
})

t.test('what it rules', async t => {
  t.same(sysctl({ settings: { 'vm/swappiness': 10 } }).owns, ['/etc/sysctl.d/60-sak.conf', 'sysctl:vm.swappiness'])
})

t.test('keys', async t => {
  t.equal(canonicalKey('net/ipv4/conf/eth0.100/rp_filter'), 'net.ipv4.conf.eth0/100.rp_filter')
  t.equal(canonicalKey('net.ipv4.conf.eth0/100.rp_filter'), 'net.ipv4.conf.eth0/100.rp_filter')
  t.equal(keyPath('net.ipv4.conf.eth0/100.rp_filter'), '/proc/sys/net/ipv4/conf/eth0.100/rp_filter')
  t.equal(words(' 4096\t131072   6291456\n'), '4096 131072 6291456')
})

const assignments = (content: string) =>
  parseAssignments({ kind: 'file', path: '/f', content }).map(({ line, key, value }) => ({ line, key, value }))

t.test('lines', async t => {
  t.same(
    assignments('# a\n ; b = 1\n\n-vm.a = 1\nvm/b=2 # no comment\nnonsense\n-vm.c\nvm.*=3\n  vm.d\t=\r\n=5\n-\n-=6'),
    [
      { line: 4, key: 'vm.a', value: '1' },
      { line: 5, key: 'vm.b', value: '2 # no comment' },
      { line: 7, key: 'vm.c', value: null },
      { line: 9, key: 'vm.d', value: '' },
    ],
  )
  t.same(assignments(''), [])
})

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('vm.a', 'vm/a', '=', '-', '#', ';', ' ', '\t', '\n', '\r\n', '1', '*', '\u00a0'))
    .map(parts => parts.join('')),
)

t.test('no text breaks the parser, and commenting lines out keeps every other byte', async () => {
  fc.assert(
    fc.property(text, content => {
      const found = assignments(content)
      const numbers = new Set(found.map(({ line }) => line))
      const without = commentOut(content, numbers)
      if (assignments(without).length > 0) return false
      if (without.length !== content.length + 2 * numbers.size) return false
      return (
        without
          .split('\n')
          .map((line, i) => (numbers.has(i + 1) ? line.slice(2) : line))
          .join('\n') === content
      )
    }),
    { numRuns: 2000 },
  )
})

t.test('once mended, nothing overrides us', async () => {
  const path = fc.constantFrom(
    '/etc/sysctl.d/99-z.conf',
    '/etc/sysctl.d/10-a.conf',
    '/usr/lib/sysctl.d/99-y.conf',
    '/etc/sysctl.conf',
  )
  const ours = file('/etc/sysctl.d/60-sak.conf', 'vm.a = 1\nvm.dirty_ratio = 9\n')
  const wanted = { 'vm.a': '1', 'vm.dirty_ratio': '9' }
  const line = fc.constantFrom(
    'vm.a=1',
    'vm.a=2',
    'vm/a = 3',
    '-vm.a',
    'vm.dirty_bytes=4096',
    'vm.dirty_bytes=0',
    'vm.dirty_ratio=9',
    '#',
  )
  const content = fc.array(line).map(lines => lines.join('\n'))
  fc.assert(
    fc.property(fc.dictionary(path, content), contents => {
      const before = Object.entries(contents).map(([path, content]) => ({ kind: 'file', path, content }) as const)
      const { desired } = mendOverrides(findOverrides(before, ours, wanted))
      const after = [...before.filter(({ path }) => desired.every(mended => mended.path !== path)), ...desired]
      return findOverrides(after, ours, wanted).length === 0
    }),
  )
})

t.test('the longest mount that holds a path says whether it is read-only', async t => {
  const mounts =
    'proc /proc proc rw 0 0\nproc /proc/sys proc ro,nosuid 0 0\nproc /proc/sys/net proc rw 0 0\nx /proc/sys\\040x y ro 0 0\n'
  t.equal(isReadOnly(mounts, '/proc/sys/vm/swappiness'), true)
  t.equal(isReadOnly(mounts, '/proc/sys/net/core/somaxconn'), false)
  t.equal(isReadOnly(mounts, '/proc/sysx'), false)
  t.equal(isReadOnly(mounts, '/proc/sys x/y'), true)
  t.equal(isReadOnly('', '/proc/sys/vm/swappiness'), false)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), noise => typeof isReadOnly(noise, '/proc/sys/vm/a') === 'boolean'),
  )
})

t.test('hostile answers do not break the check', async t => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (content, value) => {
      const files = {
        '/etc/sysctl.d/99-x.conf': content,
        '/proc/sys/vm/swappiness': value,
        '/proc/self/mounts': content,
      }
      const { changes } = await sysctl({ settings: { 'vm.swappiness': 10 } }).assess(fakeHost({ files }))
      return changes.some(({ key }) => key === 'saved')
    }),
  )
  t.pass()
})
