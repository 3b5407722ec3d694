/** What V8 made of the command line, kept: never anybody else's, never another's, and gone wrong it does no harm. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { codeKey, keepCode, readCode } from '../../src/cli/code-cache.ts'
import { loadScript } from '../../src/cli/script.ts'

const isRoot = process.getuid?.() === 0
const source = 'exports.answer = function answer() { return [1, 2, 3].map(each => each * 14).at(-1) }'

/** A script that has run once, and where its code is kept. */
function ranOnce(t: Test) {
  const base = t.testdir({ 'script.cjs': source, cache: {} })
  const [path, folder] = [join(base, 'script.cjs'), join(base, 'cache')]
  const first = loadScript(path, folder)
  t.notOk(first.wasKept, 'nothing was there')
  t.equal(answerOf(first.exports), 42)
  first.keep({ hasMore: false })
  const [name = ''] = readdirSync(folder)
  return { path, folder, kept: join(folder, name) }
}

function answerOf(exports: unknown): unknown {
  const found = exports && typeof exports === 'object' && 'answer' in exports ? exports.answer : undefined
  return typeof found === 'function' ? found() : undefined
}

/** The script runs whatever is kept, compiled anew, and what is kept is right again afterwards. */
function isMended(t: Test, { path, folder }: { path: string; folder: string }): void {
  const again = loadScript(path, folder)
  t.notOk(again.wasKept, 'not taken')
  t.equal(answerOf(again.exports), 42)
  again.keep({ hasMore: false })
  const next = loadScript(path, folder)
  t.ok(next.wasKept, 'and kept anew')
  t.equal(answerOf(next.exports), 42)
}

t.test('the second time nothing is compiled, and only the owner can read it', async t => {
  const { path, folder, kept } = ranOnce(t)
  t.equal(lstatSync(kept).mode & 0o777, 0o600)
  const { ino } = lstatSync(kept)
  const second = loadScript(path, folder)
  t.ok(second.wasKept)
  t.equal(answerOf(second.exports), 42)
  second.keep({ hasMore: false })
  t.equal(lstatSync(kept).ino, ino, 'which needs no writing')
  t.same(readdirSync(folder).length, 1, 'nothing temporary is left')
})

t.test('what is cut, changed, empty or somebody else’s idea of it is compiled anew', async t => {
  const bad: Readonly<Record<string, (path: string, content: Buffer) => void>> = {
    'cut short': (path, content) => truncateSync(path, content.length - 100),
    'cut within the head': path => truncateSync(path, 20),
    empty: path => truncateSync(path, 0),
    'one bit is another': (path, content) => {
      content[content.length - 50] = (content[content.length - 50] ?? 0) ^ 1
      writeFileSync(path, content)
    },
    'its size is another': (path, content) => {
      content[33] = (content[33] ?? 0) ^ 1
      writeFileSync(path, content)
    },
    text: path => writeFileSync(path, 'x'.repeat(5000)),
  }
  for (const [name, spoil] of Object.entries(bad)) {
    await t.test(name, async t => {
      const ran = ranOnce(t)
      spoil(ran.kept, readFileSync(ran.kept))
      isMended(t, ran)
    })
  }
})

t.test('code of another script, kept under the name of this one, is not taken', async t => {
  const ran = ranOnce(t)
  const other = join(ran.folder, '../other.cjs')
  writeFileSync(other, source.replace('14', '15'))
  const loaded = loadScript(other, ran.folder)
  t.notOk(loaded.wasKept, 'of the same length, too')
  t.equal(answerOf(loaded.exports), 45)
  loaded.keep({ hasMore: false })
  const [own, others] = [
    ran.kept,
    readdirSync(ran.folder)
      .map(name => join(ran.folder, name))
      .find(path => path !== ran.kept),
  ]
  writeFileSync(own, readFileSync(others ?? ''))
  isMended(t, ran)
})

t.test('what V8 itself refuses, though it is as it was written, is kept anew', async t => {
  // a source that this process has not run: V8 has no other way to know it
  const unknown = source.replace('14', '7 * 2')
  const base = t.testdir({ 'script.cjs': unknown, cache: {} })
  keepCode(join(base, 'cache'), codeKey(Buffer.from(unknown)), { size: 1, data: Buffer.alloc(3000, 7) })
  isMended(t, { path: join(base, 'script.cjs'), folder: join(base, 'cache') })
})

t.test('what others can write is not read, nor is a link', async t => {
  for (const mode of [0o666, 0o620, 0o602]) {
    await t.test(mode.toString(8), async t => {
      const ran = ranOnce(t)
      chmodSync(ran.kept, mode)
      isMended(t, ran)
      t.equal(lstatSync(ran.kept).mode & 0o777, 0o600)
    })
  }
  await t.test('a link', async t => {
    const ran = ranOnce(t)
    const elsewhere = join(ran.folder, '../elsewhere')
    writeFileSync(elsewhere, readFileSync(ran.kept), { mode: 0o600 })
    rmSync(ran.kept)
    symlinkSync(elsewhere, ran.kept)
    isMended(t, ran)
    t.ok(lstatSync(ran.kept).isFile())
  })
  await t.test("another user's", { skip: !isRoot && 'needs root' }, async t => {
    const ran = ranOnce(t)
    chownSync(ran.kept, 65534, 65534)
    isMended(t, ran)
  })
})

t.test('without a folder, or one that cannot be written, all is as ever', async t => {
  const { path } = ranOnce(t)
  for (const folder of [undefined, '/proc/self/no-such-folder', path]) {
    const script = loadScript(path, folder)
    t.equal(answerOf(script.exports), 42)
    t.notOk(script.wasKept)
    t.doesNotThrow(() => script.keep({ hasMore: false }))
  }
})

t.test('a run that needed much more than the one before keeps that too', async t => {
  const { path, folder, kept } = ranOnce(t)
  const key = codeKey(readFileSync(path))
  const code = readCode(folder, key)
  if (code === undefined) throw new Error('it is kept')
  keepCode(folder, key, { ...code, size: Math.floor(code.size / 2) })
  const { ino } = lstatSync(kept)
  loadScript(path, folder).keep({ hasMore: false })
  t.not(lstatSync(kept).ino, ino)
})

t.test('what was kept by a run with more code from elsewhere, the next one without keeps anew, once', async t => {
  const { path, folder, kept } = ranOnce(t)
  const keptBy = (hasMore: boolean) => {
    loadScript(path, folder).keep({ hasMore })
    return lstatSync(kept).ino
  }
  const { ino } = lstatSync(kept)
  t.equal(keptBy(true), ino, 'such a run keeps nothing anew')
  rmSync(kept)
  const first = keptBy(true)
  const second = keptBy(false)
  t.not(second, first)
  t.equal(keptBy(false), second)
})

t.test('the key tells apart what code depends on', async t => {
  const key = () => codeKey(Buffer.from(source))
  const plain = key()
  t.equal(key(), plain)
  t.not(codeKey(Buffer.from(source.replace('14', '15'))), plain)
  t.intercept(process, 'version', { value: 'v99.0.0' })
  const otherNode = key()
  t.not(otherNode, plain)
  t.intercept(process, 'arch', { value: 'riscv64' })
  const otherArch = key()
  t.not(otherArch, otherNode)
  t.intercept(process, 'execArgv', { value: ['--max-lazy'] })
  t.not(key(), otherArch)
})

t.test('only the newest are kept, and no file of others is touched', async t => {
  const folder = t.testdir({ 'web-sak.1234.cjs': 'of the loader of playbooks' })
  for (let index = 0; index < 7; index++) {
    keepCode(folder, `${index}`.repeat(64), { size: 1, data: Buffer.from('x') })
    for (const name of readdirSync(folder).filter(name => name.includes(`${index}`.repeat(32)))) {
      utimesSync(join(folder, name), 1000 + index, 1000 + index)
    }
  }
  keepCode(folder, '9'.repeat(64), { size: 1, data: Buffer.from('x') })
  t.same(
    readdirSync(folder)
      .map(name => name.slice(0, 12))
      .sort(),
    ['compiled-444', 'compiled-555', 'compiled-666', 'compiled-999', 'web-sak.1234'].sort(),
  )
})
