import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, lstat, mkdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { remove, run, type Step, service, waitFor, write } from '../../src/core/step.ts'
import { runTransaction } from '../../src/engine/transaction.ts'
import { shellConnection, shells, state } from './shell.ts'

const me = userInfo().username
const isRoot = userInfo().uid === 0

/** Steps as the user of this test, so that they need no root. */
const mine = <S extends Step>(step: S): S =>
  step.kind === 'run' || step.kind === 'waitFor' ? { ...step, as: me } : step
const at = (path: string, content: string | null, attributes = {}) =>
  write({ kind: 'file', path, content, ...attributes })
const fails = mine(run(['sh', '-c', 'echo no such luck >&2; exit 9'], { undo: 'resumable' }))

const apply = (steps: readonly Step[], shell: readonly string[] = ['dash']) =>
  runTransaction(shellConnection(shell, 'noise\n'), steps.map(mine), { name: 'sak-test', tasks: ['test'] })

/** What a failed undo leaves on this machine. */
async function removeJournals() {
  const base = isRoot ? state : join(userInfo().homedir, '.local/state/sak-reconcile')
  const journals = readdirSync(join(base, 'transactions')).filter(name => name.startsWith('sak-test'))
  await Promise.all(journals.map(name => rm(join(base, 'transactions', name), { recursive: true })))
}

/** Files of a folder, temporary ones too. */
const names = (folder: string) => readdirSync(folder).sort()

for (const shell of shells) {
  t.test(`a transaction under ${shell.join(' ')}`, async t => {
    const folder = t.testdir({ old: 'old\n', gone: 'gone\n', kept: 'kept' })
    const path = (name: string) => join(folder, name)
    await chmod(path('old'), 0o640)
    const content = "new\n'quoted' $HOME `id` \\\nSAK_CONTENT\nno newline at the end"
    const outcome = await apply(
      [at(path('old'), content), at(path('made'), 'x', { mode: '0600' }), remove(path('gone'))],
      shell,
    )
    t.same(outcome, { kind: 'committed' })
    t.equal(await readFile(path('old'), 'utf8'), content)
    t.equal((await stat(path('old'))).mode & 0o7777, 0o640, 'the mode is kept where none is stated')
    t.equal((await stat(path('made'))).mode & 0o7777, 0o600)
    t.same(names(folder), ['kept', 'made', 'old'], 'and no temporary file is left')
  })

  t.test(`a failure undoes everything, under ${shell.join(' ')}`, async t => {
    const folder = t.testdir({ old: 'old\n', gone: 'gone', target: 'behind a link' })
    const path = (name: string) => join(folder, name)
    await chmod(path('old'), 0o604)
    if (isRoot) await chown(path('old'), 1234, 2345)
    await utimes(path('old'), 1_000_000_000, 1_000_000_001)
    await symlink('target', path('link'))
    const steps = [
      at(path('old'), 'new', { mode: '0600' }),
      at(path('made'), 'made'),
      remove(path('gone')),
      at(path('link'), 'through the link'),
      run(['sh', '-c', 'echo done >> "$1"', 'sh', path('log')], {
        undo: [{ argv: ['sh', '-c', 'echo undone >> "$1"', 'sh', path('log')], as: me }],
      }),
      fails,
      at(path('never'), 'never'),
    ]
    const before = await stat(path('old'))
    const outcome = await apply(steps, shell)
    t.match(outcome, { kind: 'failed', rollback: 'done', error: { code: 'step-failed', said: 'no such luck' } })
    const after = await stat(path('old'))
    t.equal(await readFile(path('old'), 'utf8'), 'old\n')
    t.same([after.mode, after.uid, after.gid, after.mtimeMs], [before.mode, before.uid, before.gid, before.mtimeMs])
    t.equal(await readFile(path('target'), 'utf8'), 'behind a link')
    t.ok((await lstat(path('link'))).isSymbolicLink())
    t.equal(await readFile(path('log'), 'utf8'), 'done\nundone\n')
    t.same(names(folder), ['gone', 'link', 'log', 'old', 'target'])
  })
}

t.test('a link stays a link, and its target is written', async t => {
  const folder = t.testdir({ real: { file: 'old' } })
  await symlink('real/file', join(folder, 'link'))
  t.same(await apply([at(join(folder, 'link'), 'new')]), { kind: 'committed' })
  t.ok((await lstat(join(folder, 'link'))).isSymbolicLink())
  t.equal(await readFile(join(folder, 'real/file'), 'utf8'), 'new')
})

t.test('what cannot be written is refused before anything is lost', async t => {
  const folder = t.testdir({ directory: { file: 'x' } })
  await symlink('no/where/at/all', join(folder, 'dangling'))
  for (const name of ['directory', 'dangling', 'no/directory/here']) {
    const outcome = await apply([at(join(folder, name), 'x')])
    t.match(outcome, { kind: 'failed', rollback: 'done' }, name)
  }
  t.same(names(folder), ['dangling', 'directory'])
})

t.test('a validator sees the new file, and its refusal leaves the old one', async t => {
  const folder = t.testdir({ conf: 'old', log: '' })
  const conf = join(folder, 'conf')
  const check = { argv: ['sh', '-c', 'cat "$1"; grep -q good "$1"', 'sh', '{}'], as: me }
  const step = (content: string, extra = {}) =>
    write({ kind: 'file', path: conf, content }, { validate: { ...check, ...extra } })
  t.match(await apply([step('bad')]), { kind: 'failed', error: { said: 'bad' } })
  t.equal(await readFile(conf, 'utf8'), 'old')
  t.match(await apply([step('good\nerror: but\n', { refuse: '^error:' })]), { kind: 'failed' })
  t.equal(await readFile(conf, 'utf8'), 'old', 'a refused output counts, whatever the exit code')
  t.same(await apply([step('good', { refuse: '^error:' })]), { kind: 'committed' })
  t.equal(await readFile(conf, 'utf8'), 'good')
  t.same(names(folder), ['conf', 'log'])
})

t.test('run: refused output, a time limit, environment and stdin', async t => {
  const folder = t.testdir({})
  const out = join(folder, 'out')
  const shown = run(['sh', '-c', 'printf "%s|" "$WORD" >"$1"; cat >>"$1"', 'sh', out], {
    undo: 'none',
    stdin: "in'put",
    env: { WORD: 'two words' },
  })
  t.same(await apply([shown]), { kind: 'committed' })
  t.equal(await readFile(out, 'utf8'), "two words|in'put")
  t.match(await apply([run(['echo', 'error: x'], { undo: 'none', refuse: '^error' })]), { kind: 'failed' })
  t.match(await apply([run(['sleep', '30'], { undo: 'none', timeout: '1s' })]), {
    kind: 'failed',
    error: { message: /exit 124/ },
  })
  t.match(await apply([run(['no-such-program'], { undo: 'none' })]), { kind: 'failed', error: { message: /exit 127/ } })
})

t.test('waitFor waits for an exit and an output, and no longer than its time', async t => {
  const folder = t.testdir({})
  const flag = join(folder, 'flag')
  const later = run(['sh', '-c', '(sleep 1; echo ready >"$1") >/dev/null 2>&1 &', 'sh', flag], { undo: 'none' })
  t.same(await apply([later, waitFor(['cat', flag], { output: '^ready$', within: '20s' })]), { kind: 'committed' })
  const outcome = await apply([waitFor(['echo', 'still starting'], { output: '^ready$', within: '1s' })])
  t.match(outcome, { kind: 'failed', error: { said: /still starting/ } })
})

t.test('half a copy, of a full disk, is not put back', { skip: !isRoot && 'needs root' }, async t => {
  const folder = t.testdir({ large: 'x'.repeat(300_000), log: '' })
  const large = join(folder, 'large')
  // the journal's own disk takes some of the file, and once the copy has failed there is room again
  const disk = `mkdir -p ${state}; mount -t tmpfs -o size=200k none ${state}; exec dash`
  const undone = run(['true'], {
    undo: [{ argv: ['sh', '-c', 'echo undone >"$1"', 'sh', join(folder, 'log')], as: me }],
  })
  for (const steps of [
    [undone, remove(large)],
    [undone, at(large, 'new')],
  ]) {
    t.match(await apply(steps, ['unshare', '--mount', 'sh', '-c', disk]), { kind: 'failed', rollback: 'done' })
    t.equal(await readFile(large, 'utf8'), 'x'.repeat(300_000))
  }
  t.equal(await readFile(join(folder, 'log'), 'utf8'), 'undone\n')
  t.same(names(folder), ['large', 'log'])
})

t.test(
  'what an undo begun and could not end leaves no file behind when it is done again',
  { skip: !isRoot && 'needs root' },
  async t => {
    const base = '/tmp/sak-transaction-undo'
    await rm(base, { recursive: true, force: true })
    await mkdir(base)
    t.teardown(() => rm(base, { recursive: true, force: true }))
    await writeFile(join(base, 'file'), 'before', { mode: 0o640 })
    const { execFileSync } = await import('node:child_process')
    execFileSync('chown', ['-R', 'nobody:nogroup', base])
    // putting back cannot rename; then it can
    const lock = run(['chattr', '+i', join(base, 'file')], { undo: 'none' })
    const outcome = await apply([at(join(base, 'file'), 'after', { owner: 'nobody' }), lock, fails])
    t.teardown(removeJournals)
    execFileSync('chattr', ['-i', join(base, 'file')])
    t.match(outcome, { kind: 'failed', rollback: 'failed' })
    const [journal = ''] = readdirSync(join(state, 'transactions'))
    execFileSync('sh', [join(state, 'transactions', journal, 'script'), 'undo', join(state, 'transactions', journal)])
    t.equal(await readFile(join(base, 'file'), 'utf8'), 'before')
    t.same(names(base), ['file'])
  },
)

t.test('a new file that cannot be taken away is not called undone', { skip: !isRoot && 'needs root' }, async t => {
  const folder = t.testdir({})
  t.teardown(removeJournals)
  const { execFileSync } = await import('node:child_process')
  const validate = { argv: ['sh', '-c', 'chattr +i "$1"; exit 1', 'sh', folder] }
  const step = write({ kind: 'file', path: join(folder, 'file'), content: 'x' }, { validate })
  const outcome = await apply([step])
  execFileSync('chattr', ['-i', folder])
  t.match(outcome, { kind: 'failed', rollback: 'failed' })
  const [journal = ''] = readdirSync(join(state, 'transactions'))
  execFileSync('sh', [join(state, 'transactions', journal, 'script'), 'undo', join(state, 'transactions', journal)])
  t.same(names(folder), [])
})

t.test('what cannot be undone is said where a later step failed', async t => {
  const gone = mine(run(['true', 'and gone'], { undo: 'none' }))
  t.match(await apply([gone, fails]), {
    kind: 'failed',
    rollback: 'done',
    error: { hint: /what cannot: run true and gone/ },
  })
  t.match(await apply([fails, gone]), { kind: 'failed', error: { hint: 'everything this task had done was undone' } })
})

t.test('nothing is undone as an account that is gone', { skip: !isRoot && 'needs root' }, async t => {
  const asNobody = run(['true'], { undo: [{ argv: ['false'], as: 'sak-nobody' }] })
  t.match(await apply([asNobody, fails]), { kind: 'failed', rollback: 'done' })
})

t.test('a failing undo is said, and what was kept stays on the host', async t => {
  const folder = t.testdir({ file: 'before' })
  const undoFails = run(['true'], { undo: [{ argv: ['false'], as: me }] })
  t.teardown(removeJournals)
  const outcome = await apply([at(join(folder, 'file'), 'after'), undoFails, fails])
  t.match(outcome, { kind: 'failed', rollback: 'failed', error: { hint: /transactions/ } })
  t.equal(await readFile(join(folder, 'file'), 'utf8'), 'before', 'all else is undone')
})

t.test('a script that lost its reader goes on to its end', async t => {
  const folder = t.testdir({})
  const { transactionScript } = await import('../../src/engine/transaction-script.ts')
  const { spawn } = await import('node:child_process')
  const steps = [mine(run(['sleep', '1'], { undo: 'none' })), at(join(folder, 'made'), 'x')]
  const child = spawn('dash', [], { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.end(transactionScript(steps, 'n', { name: 'sak-test', tasks: ['test'] }))
  child.stdout.destroy()
  await new Promise(resolve => child.on('exit', resolve))
  t.ok(existsSync(join(folder, 'made')))
})

t.test('nobody cannot act as root, and is told before anything is done', { skip: !isRoot && 'needs root' }, async t => {
  const folder = '/tmp/sak-transaction-test'
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o777)
  await writeFile(join(folder, 'file'), 'before')
  const nobody = shellConnection(['runuser', '-u', 'nobody', '--', 'env', 'HOME=/tmp', 'dash'])
  const outcome = await runTransaction(nobody, [at(join(folder, 'made'), 'x'), run(['true'], { undo: 'none' })], {
    name: 'sak-test',
    tasks: ['test'],
  })
  t.match(outcome, { kind: 'failed', rollback: 'none', error: { code: 'needs-root' } })
  t.same(names(folder), ['file'])
})

/** Applies with the programs of a folder before all others, and little patience. */
function applyWith(folder: string, steps: readonly Step[]) {
  const shell = shellConnection(['dash'])
  const changed = (script: string) =>
    script.replaceAll('limit=300', 'limit=1').replaceAll('PATH=/usr', `PATH=${folder}:/usr`)
  const connection = { ...shell, run: (script: string) => shell.run(changed(script), { deadlineMs: 60_000 }) }
  return runTransaction(connection, steps.map(mine), { name: 'sak-test', tasks: ['test'] })
}

t.test('what programs wrote is on disk before a transaction counts, and before an undo does', async t => {
  const folder = t.testdir({ said: '' })
  const path = (name: string) => join(folder, name)
  const sync = `#!/bin/sh
[ "$1" != -f ] || cat "$2/state" >>${path('said')}
exec /usr/bin/sync "$@"
`
  await writeFile(path('sync'), sync, { mode: 0o755 })
  const ran = run(['true'], { undo: [{ argv: ['true'], as: me }] })
  t.same(await applyWith(folder, [at(path('file'), 'x')]), { kind: 'committed' })
  t.equal(await readFile(path('said'), 'utf8'), '', 'a file that a step wrote is there already')
  t.same(await applyWith(folder, [ran]), { kind: 'committed' })
  t.match(await applyWith(folder, [ran, fails]), { kind: 'failed', rollback: 'done' })
  t.equal(await readFile(path('said'), 'utf8'), 'applying\napplying\n')
})

t.test(
  'a unit that takes for ever is given up, and brought back as it was',
  { skip: !isRoot && 'needs root' },
  async t => {
    const folder = t.testdir({ file: 'before', said: '' })
    const path = (name: string) => join(folder, name)
    // hangs where it is to take up the new file
    const systemctl = `#!/bin/sh
case $1 in
  is-active) echo active ;;
  is-failed) exit 1 ;;
  restart) echo "$1 $3" >>${path('said')}; if grep -q after ${path('file')}; then exec sleep 60; fi ;;
esac
`
    await writeFile(path('systemctl'), systemctl, { mode: 0o755 })
    const steps = [at(path('file'), 'after'), service('app', 'restart')]
    const outcome = await applyWith(folder, steps)
    t.match(outcome, { kind: 'failed', rollback: 'done', error: { message: /exit 124/, said: /not done within 1 s/ } })
    t.equal(await readFile(path('file'), 'utf8'), 'before')
    t.equal(await readFile(path('said'), 'utf8'), 'restart app\nrestart app\n', 'restarted with the old file')
  },
)

t.test('what is written has a name until it is renamed that nobody can tell from that of another', async t => {
  const folder = t.testdir({ seen: '' })
  const see = { argv: ['sh', '-c', 'basename -- "$2" >>"$1"', 'sh', join(folder, 'seen'), '{}'], as: me }
  const steps = ['a', 'b'].map(name =>
    write({ kind: 'file', path: join(folder, name), content: name }, { validate: see }),
  )
  t.same(await apply(steps), { kind: 'committed' })
  const seen = (await readFile(join(folder, 'seen'), 'utf8')).trim().split('\n')
  const random = seen.map(name => /^\.sak-([0-9a-f]{8})-([0-9a-f-]{27})\.dpkg-new$/.exec(name)?.slice(1) ?? [])
  t.equal(new Set(random.flat()).size, 4, seen.join(' '))
  t.same(names(folder), ['a', 'b', 'seen'])
})

t.test(
  'in a directory of another user root follows nothing that they put there',
  { skip: !isRoot && 'needs root' },
  async t => {
    const base = '/tmp/sak-transaction-theirs'
    await rm(base, { recursive: true, force: true })
    await mkdir(join(base, 'theirs'), { recursive: true })
    t.teardown(() => rm(base, { recursive: true, force: true }))
    const [probe, file] = [join(base, 'probe'), join(base, 'theirs/file')]
    await writeFile(probe, 'root only', { mode: 0o600 })
    await writeFile(file, 'before', { mode: 0o640 })
    const { spawn, execFileSync } = await import('node:child_process')
    execFileSync('chown', ['-R', 'nobody:nogroup', join(base, 'theirs')])
    const swap = 'cd "$1" && while :; do for f in .sak-*; do [ -f "$f" ] && ln -sfn "$2" "$f"; done; done'
    const attacker = spawn('runuser', ['-u', 'nobody', '--', 'sh', '-c', swap, 'sh', join(base, 'theirs'), probe], {
      detached: true,
    })
    t.teardown(() => process.kill(-(attacker.pid ?? 0), 'SIGKILL'))
    t.teardown(removeJournals)
    for (let round = 0; round < 8; round++) {
      await apply([at(file, `content ${round}`, { mode: '0644', owner: 'nobody' }), ...(round % 2 ? [fails] : [])])
    }
    t.equal(await readFile(probe, 'utf8'), 'root only')
    t.match(await stat(probe), { uid: 0, gid: 0, mode: 0o100600 })
  },
)

t.test("another user's file comes back as it was", { skip: !isRoot && 'needs root' }, async t => {
  const folder = '/tmp/sak-transaction-back'
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'file')
  await writeFile(file, 'before\0\n', { mode: 0o640 })
  const { execFileSync } = await import('node:child_process')
  execFileSync('chown', ['-R', 'nobody:nogroup', folder])
  await utimes(file, 1_000_000_000, 1_000_000_001)
  const before = await stat(file)
  t.match(await apply([at(file, 'after', { owner: 'nobody', group: 'nogroup', mode: '0600' }), remove(file), fails]), {
    kind: 'failed',
    rollback: 'done',
  })
  const after = await stat(file)
  t.same([after.mode, after.uid, after.gid, after.mtimeMs], [before.mode, before.uid, before.gid, before.mtimeMs])
  t.equal(await readFile(file, 'utf8'), 'before\0\n')
  t.same(await apply([at(file, 'after', { owner: 'nobody', group: 'nogroup', mode: '0600' })]), { kind: 'committed' })
  t.match(await stat(file), { uid: before.uid, gid: before.gid, mode: 0o100600 })
  t.same(names(folder), ['file'])
})

t.test(
  "a file of root's in another user's directory is kept and comes back too",
  { skip: !isRoot && 'needs root' },
  async t => {
    const folder = '/tmp/sak-transaction-mixed'
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await chown(folder, 65534, 65534)
    const file = join(folder, 'file')
    await writeFile(file, 'before', { mode: 0o600 })
    t.match(await apply([at(file, 'after', { owner: 'nobody' }), fails]), { kind: 'failed', rollback: 'done' })
    t.match(await stat(file), { uid: 0, gid: 0, mode: 0o100600 })
    t.equal(await readFile(file, 'utf8'), 'before')
  },
)
