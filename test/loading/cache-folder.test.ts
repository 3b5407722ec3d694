import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cacheFolder } from '../../src/loading/cache-folder.ts'

const isRoot = process.getuid?.() === 0
const inBase = (base: string) => cacheFolder({ XDG_CACHE_HOME: base })

t.test('it is made for its owner alone, with the folder of all caches', async t => {
  const base = t.testdir({})
  const folder = join(base, '.cache/sak-reconcile')
  t.equal(inBase(join(base, '.cache')), folder)
  t.equal(lstatSync(folder).mode & 0o777, 0o700)
  t.equal(inBase(join(base, '.cache')), folder, 'and found again')
})

t.test('a home that is missing is not made', async t => {
  const base = t.testdir({})
  t.equal(inBase(join(base, 'nobody/.cache')), undefined)
  t.notOk(existsSync(join(base, 'nobody')))
})

t.test('what others can write is not trusted, nor is a link or a file', async t => {
  const base = t.testdir({ writable: { 'sak-reconcile': {} }, link: {}, file: { 'sak-reconcile': 'x' } })
  for (const mode of [0o777, 0o720, 0o702]) {
    chmodSync(join(base, 'writable/sak-reconcile'), mode)
    t.equal(inBase(join(base, 'writable')), undefined, mode.toString(8))
  }
  chmodSync(join(base, 'writable/sak-reconcile'), 0o755)
  t.equal(inBase(join(base, 'writable')), join(base, 'writable/sak-reconcile'), 'others may read')
  symlinkSync(join(base, 'writable/sak-reconcile'), join(base, 'link/sak-reconcile'))
  t.equal(inBase(join(base, 'link')), undefined)
  t.equal(inBase(join(base, 'file')), undefined)
})

t.test("another user's home is neither trusted nor written to", { skip: !isRoot && 'needs root' }, async t => {
  const base = t.testdir({ home: {} })
  chownSync(join(base, 'home'), 65534, 65534)
  t.equal(inBase(join(base, 'home/.cache')), undefined)
  t.notOk(existsSync(join(base, 'home/.cache')))
  mkdirSync(join(base, 'home/.cache/sak-reconcile'), { recursive: true })
  chownSync(join(base, 'home/.cache/sak-reconcile'), 65534, 65534)
  t.equal(inBase(join(base, 'home/.cache')), undefined)
})

t.test('where nothing can be made there is none', async t => {
  const base = t.testdir({})
  writeFileSync(join(base, 'file'), '')
  t.equal(inBase(join(base, 'file')), undefined)
  t.equal(inBase('/proc/1'), undefined)
})
