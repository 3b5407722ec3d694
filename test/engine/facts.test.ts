import { arch, cpus } from 'node:os'
import t from 'tap'
import { hostFrom } from '../../src/core/host.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { countTrips } from '../../src/engine/counted.ts'
import { readFacts } from '../../src/engine/facts.ts'
import { type FakeHostState, fakeHost } from '../../src/testing.ts'
import { shellConnection } from './shell.ts'

const factsFrom = (state: FakeHostState) => {
  const host = fakeHost(state)
  return readFacts(async read => {
    if (read.kind === 'file') return { kind: 'file', file: await host.file(read.path) }
    if (read.kind !== 'command') throw new TypeError(read.kind)
    return { kind: 'command', result: await host.command(read.argv) }
  })
}
const df = (line: string) => ({
  argv: ['sh', '-c', 'uname -m; df -Pk /'],
  stdout: `x86_64\nFilesystem     1024-blocks    Used Available Capacity Mounted on\n${line}\n`,
})

t.test('a t3.small tells what it is', async t => {
  const found = await factsFrom({
    files: {
      '/proc/meminfo': 'MemTotal:        1974648 kB\nMemFree:          102400 kB\n',
      '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: a processor\n\nprocessor\t: 1\n',
      '/etc/os-release': 'NAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE="debian"\n',
      '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
      '/sys/class/dmi/id/product_name': 't3.small\n',
    },
    commands: [df('/dev/root         30298176 4000000  26281792      14% /')],
  })
  t.same(found, {
    ramMiB: 1928,
    cores: 2,
    arch: 'x86_64',
    rootDiskMiB: 29588,
    'os.id': 'ubuntu',
    'os.version': '24.04',
    'os.codename': 'noble',
    'os.like': ['debian'],
    'machine.vendor': 'Amazon EC2',
    'machine.product': 't3.small',
  })
})

t.test('what is not told, or may not be read, is not known', async t => {
  const found = await factsFrom({
    files: { '/usr/lib/os-release': "ID='arch'\nPRETTY_NAME=x\n", '/proc/meminfo': 'MemTotal: much\n' },
    commands: [df('/dev/mapper/a b  8 4 4 50% /')],
    denied: ['/sys/**', '/sys/class/dmi/id/*'],
  })
  const known = Object.entries(found).filter(([, value]) => value !== undefined)
  t.same(Object.fromEntries(known), { arch: 'x86_64', rootDiskMiB: 0, 'os.id': 'arch', 'os.like': [] })
})

t.test('this machine, in one trip', async t => {
  const connection = countTrips(shellConnection(), 'here')
  const { ask } = batchReads(connection, { deadlineMs: 30_000 })
  const facts = await readFacts(ask)
  t.equal(connection.trips(), 1)
  t.match(facts, { ramMiB: Number, rootDiskMiB: Number, 'os.id': /^[a-z]+$/ })
  t.equal(facts.cores, cpus().length)
  t.equal(facts.arch, { x64: 'x86_64', arm64: 'aarch64' }[arch() as string] ?? facts.arch)
  t.ok(hostFrom(ask))
})
