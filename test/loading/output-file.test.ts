import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openOutput } from '../../src/loading/output-file.ts'

const mode = (path: string) => statSync(path).mode & 0o777

t.test('a file is replaced as a whole, at the end', async t => {
  const folder = t.testdir({ report: 'before' })
  const path = join(folder, 'report')
  chmodSync(path, 0o640)
  const file = openOutput(path, '-o', { live: false })
  file.write('one\n')
  file.write('two\n')
  t.equal(readFileSync(path, 'utf8'), 'before', 'until then it is what it was')
  t.same(readdirSync(folder), ['report'], 'and a run that is killed leaves nothing')
  const reader = openSync(path, 'r')
  t.teardown(() => closeSync(reader))
  await file.close()
  t.equal(readFileSync(reader, 'utf8'), 'before', 'who reads it then reads all of it')
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
  t.equal(mode(path), 0o640)
  t.same(readdirSync(folder), ['report'])
})

t.test('permissions that are asked for, whatever the umask says', async t => {
  const folder = t.testdir({})
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  for (const [name, wanted] of Object.entries({ 'a.prom': 0o644, b: undefined })) {
    const file = openOutput(join(folder, name), '-o', { live: false, ...(wanted !== undefined && { mode: wanted }) })
    file.write('x')
    await file.close()
    t.equal(mode(join(folder, name)), wanted ?? 0o600)
  }
})

t.test('a link stays a link', async t => {
  const folder = t.testdir({ real: { report: 'before' } })
  symlinkSync('real/report', join(folder, 'link'))
  const file = openOutput(join(folder, 'link'), '-o', { live: false })
  file.write('after')
  await file.close()
  t.equal(readlinkSync(join(folder, 'link')), 'real/report')
  t.equal(readFileSync(join(folder, 'real/report'), 'utf8'), 'after')
})

t.test('what is no regular file is written to', async t => {
  const folder = t.testdir({})
  const pipe = join(folder, 'pipe')
  t.equal(spawnSync('mkfifo', [pipe]).status, 0)
  const reader = openSync(pipe, 'r+')
  t.teardown(() => closeSync(reader))
  const file = openOutput(pipe, '-o', { live: false })
  file.write('through')
  await file.close()
  t.ok(statSync(pipe).isFIFO())
  await openOutput('/dev/null', '-o', { live: false }).close()
})

t.test('live: each line is there at once', async t => {
  const path = join(t.testdir({}), 'events')
  const file = openOutput(path, '-o', { live: true })
  file.write('one\n')
  t.equal(readFileSync(path, 'utf8'), 'one\n')
  file.write('two\n')
  await file.close()
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
})

t.test('what cannot be written is told before the run, and a full disk after it', async t => {
  const folder = t.testdir({ file: '' })
  for (const path of [folder, join(folder, 'file/x'), join(folder, 'no/such')]) {
    t.throws(() => openOutput(path, '--report', { live: false }), {
      code: 'usage',
      message: /^--report: .* cannot be written/,
      hint: 'nothing was done yet',
    })
  }
  const full = openOutput('/dev/full', '-o', { live: true })
  full.write('x')
  full.write('y')
  await t.rejects(full.close(), { code: 'usage', message: /ENOSPC/, hint: undefined })
})
