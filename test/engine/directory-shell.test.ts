import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeDirectory, makeLink, removeDirectory, run, type Step, write } from '../../src/core/step.ts'
import { recover } from '../../src/engine/recovery.ts'
import { runTransaction } from '../../src/engine/transaction.ts'
import { transactionScript } from '../../src/engine/transaction-script.ts'
import { shellConnection, shells, state } from './shell.ts'

const { username: me, uid } = userInfo()
const isRoot = uid === 0
const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()

const apply = (steps: readonly Step[], shell: readonly string[] = ['dash']) =>
  runTransaction(shellConnection(shell), steps, { name: 'sak-test', tasks: ['test'] })
const fails = run(['sh', '-c', 'exit 9'], { undo: 'resumable', as: me })
const directory = (path: string, mode: string, owner = me) =>
  makeDirectory({ kind: 'directory', path, mode, owner, group })
const link = (path: string, target: string) => makeLink({ kind: 'link', path, target })
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

async function folderOf(t: Test) {
  const folder = await mkdtemp('/tmp/sak-directory-')
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o755)
  const at = (name: string) => join(folder, name)
  await mkdir(at('full/deep'), { recursive: true })
  await writeFile(at('full/deep/file'), 'kept')
  await mkdir(at('empty'))
  await chmod(at('empty'), 0o2750)
  await writeFile(at('file'), 'a file')
  await symlink('file', at('link'))
  return { at, names: () => readdirSync(folder).sort() }
}

for (const shell of shells) {
  t.test(`directories and links under ${shell.join(' ')}`, async t => {
    const { at, names } = await folderOf(t)
    const steps = [
      directory(at('made'), '0710'),
      directory(at('made/below'), '1777'),
      directory(at('empty'), '0755'),
      link(at('made/to'), '../file'),
      link(at('link'), "it's nowhere"),
      link(at('file'), 'full'),
      removeDirectory(at('full'), { recurse: true }),
    ]
    t.same(await apply(steps, shell), { kind: 'committed' })
    t.same([modeOf(at('made')), modeOf(at('made/below')), modeOf(at('empty'))], ['710', '1777', '755'])
    t.equal(readlinkSync(at('made/to')), '../file')
    t.equal(readlinkSync(at('link')), "it's nowhere")
    t.equal(readlinkSync(at('file')), 'full', 'a link in the place of a file')
    t.same(names(), ['empty', 'file', 'link', 'made'], 'nothing put aside is left')
  })

  t.test(`and all of it undone, under ${shell.join(' ')}`, async t => {
    const { at, names } = await folderOf(t)
    const before = [names(), modeOf(at('empty')), statSync(at('full')).ino]
    const steps = [
      directory(at('made'), '0710'),
      directory(at('made/below'), '0700'),
      link(at('made/below/link'), '/x'),
      directory(at('empty'), '0755'),
      link(at('link'), '/y'),
      removeDirectory(at('full'), { recurse: true }),
      link(at('full'), 'empty'),
      fails,
    ]
    t.match(await apply(steps, shell), { kind: 'failed', rollback: 'done' })
    t.same([names(), modeOf(at('empty')), statSync(at('full')).ino], before)
    t.equal(readlinkSync(at('link')), 'file')
    t.equal(readFileSync(at('full/deep/file'), 'utf8'), 'kept')
  })
}

t.test('what is something else is refused and stays', async t => {
  const { at, names } = await folderOf(t)
  await symlink('empty', at('to-empty'))
  const before = names()
  const refused: [Step, RegExp][] = [
    [directory(at('file'), '0755'), /is not a directory/],
    [directory(at('to-empty'), '0755'), /is not a directory/],
    [directory(at('no/where'), '0755'), /there is no directory/],
    [link(at('full'), 'x'), /is a directory/],
    [link(at('no/where'), 'x'), /there is no directory/],
    [removeDirectory(at('full')), /is not empty/],
    [removeDirectory(at('file'), { recurse: true }), /is not a directory/],
    [removeDirectory(at('to-empty'), { recurse: true }), /is not a directory/],
  ]
  for (const [step, said] of refused) {
    t.match(await apply([step]), { kind: 'failed', rollback: 'done', error: { said } }, JSON.stringify(step))
  }
  t.same(names(), before)
  t.equal(readFileSync(at('full/deep/file'), 'utf8'), 'kept')
  t.same(await apply([removeDirectory(at('empty')), removeDirectory(at('gone'))]), { kind: 'committed' })
  t.notOk(existsSync(at('empty')))
})

t.test('a file is written byte for byte, in place of a link, and only over what it was made from', async t => {
  const { at, names } = await folderOf(t)
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const base = { kind: 'file', mode: '0644' } as const
  const binary = { ...base, path: at('link'), content: bytes.toString('latin1'), binary: true } as const
  t.same(await apply([write(binary, { replaceLink: true })]), { kind: 'committed' })
  t.ok(lstatSync(at('link')).isFile())
  t.same(readFileSync(at('link')), bytes)
  t.equal(readFileSync(at('file'), 'utf8'), 'a file', 'what the link led to is left alone')
  const made = { ...base, path: at('file'), content: 'changed' }
  t.match(await apply([write(made, { madeFrom: 'another' })]), {
    kind: 'failed',
    rollback: 'done',
    error: { said: /was changed by somebody else/ },
  })
  t.equal(readFileSync(at('file'), 'utf8'), 'a file')
  t.same(await apply([write(made, { madeFrom: 'a file' })]), { kind: 'committed' })
  await symlink('nowhere', at('dangling'))
  t.match(await apply([write({ ...base, path: at('dangling'), content: 'x' }, { replaceLink: true }), fails]), {
    rollback: 'done',
  })
  t.equal(readlinkSync(at('dangling')), 'nowhere')
  t.same(names(), ['dangling', 'empty', 'file', 'full', 'link'])
})

t.test("in another user's directory", { skip: !isRoot && 'needs root' }, async t => {
  const { at } = await folderOf(t)
  await mkdir(at('theirs'))
  await chown(at('theirs'), 65534, 65534)
  await symlink('somewhere', at('theirs/link'))
  await mkdir(at('theirs/roots'))
  await writeFile(at('theirs/roots/file'), 'x', { mode: 0o600 })
  await chmod(at('theirs/roots'), 0o700)
  const steps = [
    directory(at('theirs/made'), '0750', 'nobody'),
    link(at('theirs/link'), 'elsewhere'),
    removeDirectory(at('theirs/roots'), { recurse: true }),
  ]
  t.match(await apply([...steps, fails]), { kind: 'failed', rollback: 'done' })
  t.equal(readlinkSync(at('theirs/link')), 'somewhere')
  t.match(statSync(at('theirs/roots/file')), { uid: 0, mode: 0o100600 })
  t.notOk(existsSync(at('theirs/made')))
  t.same(await apply(steps), { kind: 'committed' })
  t.match(statSync(at('theirs/made')), { uid: 65534, mode: 0o40750 })
  t.same(readdirSync(at('theirs')).sort(), ['link', 'made'])
})

t.test(
  'a journal that was cut off undoes it, and one that was committed clears away',
  { skip: !isRoot && 'needs root' },
  async t => {
    const { at, names } = await folderOf(t)
    const before = names()
    const steps = [
      directory(at('made'), '0755'),
      link(at('made/link'), '/x'),
      removeDirectory(at('full'), { recurse: true }),
      run(['sh', '-c', 'kill -9 "$(cat "$1")"', 'sh', at('pid')], { undo: 'none' }),
    ]
    // the script of the journal kills itself in its last step, as a reset of the host would
    const script = transactionScript(steps, 'n', { name: 'sak-test', tasks: ['test'] }).replace(
      '"$d/script" apply',
      () => `-c 'echo $$ >${at('pid')}; exec sh "$@"' sh "$d/script" apply`,
    )
    await shellConnection().run(script, { deadlineMs: 60_000 })
    await rm(at('pid'))
    t.notOk(existsSync(at('full')), 'it was in the middle of it')
    t.match(await recover(shellConnection(), 'n2'), [{ tasks: ['test'] }])
    t.same(names(), before)
    t.equal(readFileSync(at('full/deep/file'), 'utf8'), 'kept')

    const journal = join(state, 'transactions/sak-test.committed')
    await mkdir(journal, { recursive: true })
    await mkdir(at('.sak-aside.dpkg-new/deep'), { recursive: true })
    await writeFile(join(journal, 'state'), 'committed\n')
    await writeFile(join(journal, 'aside-3'), at('.sak-aside.dpkg-new'))
    t.same(await recover(shellConnection(), 'n3'), [])
    t.same([names(), existsSync(journal)], [before, false])
  },
)
