import t from 'tap'
import type { FileRead } from '../../src/core/file.ts'
import type { Answer, Read } from '../../src/core/host.ts'
import { daemonReload, makeDirectory, makeLink, remove, removeDirectory, run, write } from '../../src/core/step.ts'
import { type Ask, Deferred, isTouched, overlay, plannedFiles } from '../../src/engine/overlay.ts'

const stat = {
  type: 'file',
  mode: '0600',
  owner: 'app',
  group: 'app',
  size: 3,
  allocated: 3,
  mtime: 1,
  ctime: 1,
} as const
const there = (path: string): FileRead => ({ kind: 'file', path, content: 'old', ...attributes, stat })
const attributes = { mode: '0600', owner: 'app', group: 'app' }

/** A host where /d/a and /d/b are, and that remembers what it was asked. */
function host() {
  const asked: Read[] = []
  const ask: Ask = async (read): Promise<Answer> => {
    asked.push(read)
    const known = (path: string) => path === '/d/a' || path === '/d/b'
    if (read.kind === 'command') return { kind: 'command', result: { code: 0, stdout: 'said', stderr: '' } }
    if (read.kind === 'link') return { kind: 'link', target: null }
    if (read.kind === 'files') return { kind: 'files', files: [there('/d/a'), there('/d/b')] }
    if (read.kind === 'stat') return { kind: 'stat', stat: known(read.path) ? stat : null }
    return {
      kind: 'file',
      file: known(read.path) ? there(read.path) : { kind: 'file', path: read.path, content: null },
    }
  }
  return { ask, asked }
}

const planned = new Map(
  plannedFiles([
    write({ kind: 'file', path: '/d/a', content: 'new' }),
    write({ kind: 'file', path: '/d/c', content: 'grüße', mode: '0640', owner: 'root', group: 'adm' }),
    remove('/d/b'),
    run(['true'], { undo: 'none' }),
    run(['make'], { undo: 'none', leaves: [{ kind: 'file', path: '/made', content: 'by a program' }] }),
    daemonReload(),
  ]),
)

t.test('files are answered as the steps would leave them', async t => {
  const { ask } = host()
  const laid = overlay(ask, planned)
  t.match(await laid({ kind: 'file', path: '/d/a' }), { file: { content: 'new', ...attributes } }, 'attributes stay')
  t.match(await laid({ kind: 'file', path: '/d/b' }), { file: { content: null } })
  t.match(await laid({ kind: 'file', path: '/made' }), { file: { content: 'by a program' } }, 'as a program leaves it')
  t.match(await laid({ kind: 'file', path: '/d/c' }), { file: { content: 'grüße', mode: '0640', group: 'adm' } })
  t.match(await laid({ kind: 'stat', path: '/d/a' }), { stat: { size: 3, ...attributes } })
  t.match(await laid({ kind: 'stat', path: '/d/b' }), { stat: null })
  t.match(await laid({ kind: 'stat', path: '/d/c' }), { stat: { size: 7, type: 'file', owner: 'root' } })
  const all = await laid({ kind: 'files', globs: ['/d/*'] })
  t.same(all.kind === 'files' && all.files.map(({ path, content, mode }) => [path, content, mode]), [
    ['/d/a', 'new', '0600'],
    ['/d/c', 'grüße', '0640'],
  ])
})

t.test('a command that says itself what it will print', async t => {
  const { ask, asked } = host()
  const read = (dependsOn: readonly string[]): Read => ({
    kind: 'command',
    argv: ['newest'],
    options: { dependsOn, foreseen: 'the one to come' },
  })
  const said = async (dependsOn: readonly string[]) => {
    const answer = await overlay(ask, planned)(read(dependsOn))
    return answer.kind === 'command' && answer.result.stdout
  }
  t.equal(await said(['/d/a']), 'the one to come')
  t.equal(await said(['/d/']), 'the one to come', 'all that is below')
  t.equal(await said(['/']), 'the one to come')
  t.equal(asked.length, 0, 'the host is not asked')
  t.equal(await said(['/d']), 'said', 'the directory itself stays')
  t.equal(await said(['/d/a/', '/dd/']), 'said')
  const unknown = new Map(plannedFiles([run(['make'], { undo: 'none', leaves: [{ kind: 'unknown', path: '/d/x' }] })]))
  await t.rejects(overlay(ask, unknown)(read(['/d/'])), Deferred, 'what nobody can foresee')
})

t.test('what is yet to be written is newer than anything that runs', async t => {
  const answer = await overlay(host().ask, planned)({ kind: 'stat', path: '/d/c' })
  t.ok(answer.kind === 'stat' && answer.stat && answer.stat.mtime > Date.now() / 1000)
})

t.test('a command that depends on a planned file cannot be foreseen, others are asked', async t => {
  const { ask, asked } = host()
  const laid = overlay(ask, planned)
  const command = (dependsOn?: string[]): Read => ({
    kind: 'command',
    argv: ['x'],
    options: dependsOn ? { dependsOn } : {},
  })
  await t.rejects(laid(command(['/d/*'])), Deferred)
  await t.rejects(laid(command(['/d/b'])), Deferred, 'a file that would be removed counts too')
  t.match(await laid(command(['/e/*'])), { result: { stdout: 'said' } })
  t.match(await laid(command()), { result: { stdout: 'said' } })
  t.match(await laid({ kind: 'file', path: '/e' }), { file: { content: null } })
  t.equal(asked.length, 3)
})

t.test('only what is planned touches a read', async t => {
  t.ok(isTouched({ kind: 'files', globs: ['/d/c*'] }, planned), 'a file that is not there yet')
  t.notOk(isTouched({ kind: 'files', globs: ['/d/d*'] }, planned))
  t.notOk(isTouched({ kind: 'file', path: '/d' }, planned))
})

t.test('a directory that a program leaves is there, and what it leaves unknown defers', async t => {
  const directory = { kind: 'directory', path: '/srv', mode: '0750', owner: 'app', group: 'app' } as const
  const laid = (read: Read) => {
    const steps = [run(['make'], { undo: 'none', leaves: [directory, { kind: 'unknown', path: '/srv/app' }] })]
    return overlay(host().ask, new Map(plannedFiles(steps)))(read)
  }
  t.match(await laid({ kind: 'stat', path: '/srv' }), { stat: { type: 'directory', mode: '0750', owner: 'app' } })
  await t.rejects(laid({ kind: 'file', path: '/srv' }), { code: 'refused' })
  t.match(await laid({ kind: 'files', globs: ['/sr*'] }), { files: [{ path: '/d/a' }, { path: '/d/b' }] }, 'is no file')
  const unknown: Read[] = [
    { kind: 'stat', path: '/srv/app' },
    { kind: 'file', path: '/srv/app/deep/.env' },
    { kind: 'files', globs: ['/srv/app/*.conf'] },
    { kind: 'files', globs: ['/srv/*'] },
    { kind: 'command', argv: ['x'], options: { dependsOn: ['/srv/app/x'] } },
  ]
  for (const read of unknown) await t.rejects(laid(read), Deferred, JSON.stringify(read))
  t.match(await laid({ kind: 'stat', path: '/srv/application' }), { stat: null }, 'a name that only begins alike')
})

t.test('directories and links are there as they will be', async t => {
  const laid = overlay(
    host().ask,
    new Map(
      plannedFiles([
        makeDirectory({ kind: 'directory', path: '/srv', mode: '0750', owner: 'app', group: 'app' }),
        makeLink({ kind: 'link', path: '/srv/to-a', target: '../d/a' }),
        makeLink({ kind: 'link', path: '/srv/to-d', target: '/d' }),
        makeLink({ kind: 'link', path: '/d/to-new', target: 'new' }),
        write({ kind: 'file', path: '/d/new', content: 'new', mode: '0644', owner: 'root', group: 'root' }),
      ]),
    ),
  )
  t.match(await laid({ kind: 'stat', path: '/srv' }), { stat: { type: 'directory', mode: '0750' } })
  t.match(await laid({ kind: 'link', path: '/srv/to-a' }), { target: '../d/a' })
  t.match(await laid({ kind: 'link', path: '/srv' }), { target: null })
  const through = { path: '/srv/to-a', content: 'old', stat: { realPath: '/d/a' } }
  t.match(await laid({ kind: 'file', path: '/srv/to-a' }), { file: through })
  t.match(await laid({ kind: 'stat', path: '/srv/to-a' }), { stat: { type: 'file', realPath: '/d/a' } })
  t.match(await laid({ kind: 'file', path: '/srv/to-d/new' }), { file: { content: 'new' } }, 'through a directory link')
  const found = await laid({ kind: 'files', globs: ['/d/*'] })
  t.same(found.kind === 'files' && found.files.map(({ path }) => path), ['/d/a', '/d/b', '/d/new', '/d/to-new'])
  await t.rejects(laid({ kind: 'files', globs: ['/srv/to-d/*'] }), Deferred)
})

t.test('what is in a directory that will be removed is gone', async t => {
  const laid = overlay(host().ask, new Map(plannedFiles([removeDirectory('/d', { recurse: true })])))
  t.match(await laid({ kind: 'file', path: '/d/a' }), { file: { content: null } })
  t.match(await laid({ kind: 'stat', path: '/d' }), { stat: null })
  t.match(await laid({ kind: 'link', path: '/d/a' }), { target: null })
  t.match(await laid({ kind: 'files', globs: ['/d/*'] }), { files: [] })
  await t.rejects(laid({ kind: 'command', argv: ['x'], options: { dependsOn: ['/d/*'] } }), Deferred)
})
