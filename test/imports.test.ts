import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Import {
  readonly file: string
  /** A path from the root, or a package's name. */
  readonly of: string
}

/** What the sources of a folder import, also lazily and as types. */
async function importsOf(folder: string): Promise<readonly Import[]> {
  const names = await readdir(join(root, folder), { recursive: true })
  const files = names.filter(name => name.endsWith('.ts')).map(name => posix.join(folder, name))
  const all = files.map(async file => {
    const text = await readFile(join(root, file), 'utf8')
    const found = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'([^']+)'/g)].map(match => match[1] ?? '')
    return found.map(of => ({ file, of: of.startsWith('.') ? relative(root, join(root, dirname(file), of)) : of }))
  })
  return (await Promise.all(all)).flat()
}

/** Rules of DESIGN: what a folder may import from this project. The message says where the line belongs instead. */
const layers: Readonly<Record<string, { may: RegExp; instead: string }>> = {
  'src/core': {
    may: /^src\/core\//,
    instead: 'core stands alone: what needs more belongs to engine, loading or run.ts',
  },
  'src/engine': { may: /^src\/(core|engine)\//, instead: 'the engine sees a host only through core/connection.ts' },
  'src/connections': { may: /^src\/(core|connections)\//, instead: 'a connection moves bytes: decide in the engine' },
  'src/reports': { may: /^src\/(core|reports)\//, instead: 'a report is made from core/report.ts events alone' },
  'src/loading': {
    may: /^src\/(core|loading)\//,
    instead: 'loading turns files into core types; run.ts wires the rest',
  },
  'src/drift': {
    may: /^src\/(core|drift)\//,
    instead: 'what drifts is known from core/report.ts; recorded.ts wires the rest',
  },
}

for (const [folder, { may, instead }] of Object.entries(layers)) {
  t.test(`${folder} imports only what lies below it`, async t => {
    const imports = await importsOf(folder)
    t.ok(imports.length > 5, 'there is something to look at')
    const wrong = imports.filter(({ of }) => /^(src|modules|playbooks|test)\//.test(of) && !may.test(of))
    t.same(wrong, [], instead)
    if (folder !== 'src/loading') t.notOk(imports.find(({ of }) => of.startsWith('sak-reconcile')))
  })
}

t.test('modules and playbooks are written against the public name, as anyone would', async t => {
  for (const folder of ['modules', 'playbooks']) {
    const imports = await importsOf(folder)
    t.same(
      imports.filter(({ of }) => of.startsWith('src/')),
      [],
      "import from 'sak-reconcile'",
    )
  }
  const across = (await importsOf('modules')).filter(({ file, of }) => {
    const home = file.split('/').slice(0, 2).join('/')
    return file !== 'modules/index.ts' && of.startsWith('modules/') && !of.startsWith(`${home}/`)
  })
  t.same(across, [], 'a module knows no other module')
})

t.test('the public API imports no module', async t => {
  const imports = await importsOf('src')
  const ofModules = imports.filter(({ of }) => of.startsWith('modules/') || of === 'sak-reconcile/modules')
  const byName = 'src/loading/modules.ts'
  t.same(ofModules, [{ file: byName, of: 'sak-reconcile/modules' }], 'only for commands that name one')
  t.same(
    imports.filter(({ file, of }) => of === byName && !file.startsWith('src/cli/')),
    [],
    'which the library never does',
  )
})

t.test('only the connections know ssh', async t => {
  const imports = [...(await importsOf('src')), ...(await importsOf('modules')), ...(await importsOf('playbooks'))]
  const ssh = imports.filter(({ of }) => of === 'node-ssh' || of === 'ssh2')
  t.ok(ssh.length > 0)
  t.same(
    ssh.filter(({ file }) => !file.startsWith('src/connections/')),
    [],
  )
})

/** All files that run when one does: what it imports, also lazily, but not as types. */
async function reachOf(entry: string): Promise<ReadonlySet<string>> {
  const reached = new Set([entry])
  for (const file of reached) {
    const text = await readFile(join(root, file), 'utf8')
    const values = text.replaceAll(/^(import|export) type [^']*'[^']+'/gm, '')
    for (const [, of = ''] of values.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']+)'/g)) {
      reached.add(relative(root, join(root, dirname(file), of)))
    }
  }
  return reached
}

t.test('no way leads from drift to what changes a host', async t => {
  const changing = /^src\/(run|engine\/(apply|transaction|host-lock|recovery)[\w-]*)\.ts$/
  const toChange = async (entry: string) => [...(await reachOf(entry))].filter(file => changing.test(file))
  t.same(await toChange('src/cli/drift.ts'), [])
  t.ok((await reachOf('src/cli/drift.ts')).has('src/engine/look.ts'), 'the ways are followed')
  t.ok((await toChange('src/cli/reconcile.ts')).length >= 6, 'and they do lead there from an apply')
})
