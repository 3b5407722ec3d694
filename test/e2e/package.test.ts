/** What a user gets: the package packed, installed in an empty directory with an empty home, and used in every way. */
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { basename, join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { Report } from '../../src/core/report.ts'
import { pack, root, run } from './packed.ts'

const { archive, paths, folder, home, env } = await pack(t)
const project = join(folder, 'project')
const inProject = (...argv: string[]) => run(argv, project, env)
const put = (name: string, content: string) => writeFile(join(project, name), content)

t.before(async () => {
  await mkdir(project)
  await put('package.json', JSON.stringify({ name: 'user', private: true, type: 'module' }))
  const installed = await inProject('npm', 'install', archive)
  t.equal(installed.code, 0, installed.stderr)
})

t.test('the package has what it needs, and no tests', async t => {
  for (const path of [
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'dist/src/index.d.ts',
    'dist/src/cli.js',
    'dist/src/command-line.cjs',
    'dist/THIRD-PARTY-LICENSES.txt',
    'dist/src/reports/page.css',
    'dist/src/reports/page.js',
  ]) {
    t.ok(paths.includes(path), path)
  }
  const sources = (await run(['git', 'ls-files', 'modules/**.ejs'], root, process.env)).stdout.trim().split('\n')
  t.ok(sources.length > 5)
  t.same(
    sources.filter(path => !paths.includes(`dist/${path}`)),
    [],
    'every template',
  )
  t.same(
    paths.filter(path => /^(test|fixtures|src|bench)\/(?!README\.md$)|^(?!examples\/).*\.test\./.test(path)),
    [],
  )
})

const Manifest = z.object({ dependencies: z.record(z.string(), z.string()) })

t.test('what is built loads the packages that are installed with it, and all of them', async t => {
  const dist = join(project, 'node_modules/sak-reconcile/dist')
  const loaded = new Set<string>()
  for (const path of paths.filter(path => /^dist\/.*\.c?js$/.test(path))) {
    const text = await readFile(join(dist, '..', path), 'utf8')
    for (const [, name = ''] of text.matchAll(/(?:\bfrom |\bimport |\bimport\(|\brequire\()"([a-z][\w-]*)"/g))
      loaded.add(name)
  }
  for (const name of [...builtinModules, 'sak-reconcile', 'cpu-features']) loaded.delete(name)
  const manifest = Manifest.parse(JSON.parse(await readFile(join(dist, '../package.json'), 'utf8')))
  t.same([...loaded].sort(), Object.keys(manifest.dependencies).sort())
})

t.test('the licences of the packages that are inside are there', async t => {
  const path = join(project, 'node_modules/sak-reconcile/dist/THIRD-PARTY-LICENSES.txt')
  const text = await readFile(path, 'utf8')
  for (const name of ['commander', 'node-ssh', 'ssh2', 'tweetnacl', 'yaml', 'zod'])
    t.match(text, new RegExp(`^${name} \\d`, 'm'))
})

t.test('zod is inside once: a playbook gets the one that the command line has', async t => {
  const text = await readFile(join(project, 'node_modules/sak-reconcile/dist/src/command-line.cjs'), 'utf8')
  t.match(text, /^\/\/ node_modules\/zod\/.*\.js$/m)
  t.notMatch(text, /^\/\/ node_modules\/zod\/.*\.cjs$/m)
})

t.test('npx sak-reconcile --dry-run looks at this machine', async t => {
  const json = await inProject('npx', '--no-install', 'sak-reconcile', '--dry-run', '--json')
  const report = Report.parse(JSON.parse(json.stdout))
  t.match(report, { mode: 'dry-run', exitCode: json.code, hosts: [{ name: 'localhost', error: null }] })
  const tasks = report.hosts[0]?.tasks ?? []
  t.equal(tasks.length, 7)
  t.same(
    tasks.filter(task => task.status === 'failed'),
    [],
    'no template or parser is missing',
  )
})

const typed = `
import { defineModule, definePlaybook, file, type Report, reconcile, write } from 'sak-reconcile'
import { sysctl } from 'sak-reconcile/modules'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { fakeHost } from 'sak-reconcile/testing'
import { z } from 'zod'

const motd = defineModule({
  name: 'motd',
  description: 'Keeps the message of the day.',
  params: z.strictObject({ text: z.string(), times: z.number().default(2) }),
  impact: 'none',
  owns: () => ['/nowhere/motd'],
  check: async (host, { text, times }) => ({
    current: { saved: await host.file('/nowhere/motd'), times: 1 },
    desired: { saved: file('/nowhere/motd', text.repeat(times)), times },
  }),
  apply: ({ saved, times }, params) => {
    const content: string | undefined = saved?.after.content
    const counts: [number | undefined, number] = [times?.before, params.times]
    return [saved && content !== undefined && counts.length === 2 && write(saved.after)]
  },
})

// @ts-expect-error a name that is none
motd({ txt: 'x' })
// @ts-expect-error a param is missing
motd({})
// @ts-expect-error a unit that is none
const wrong = () => t3Small({ swap: { size: '2GB' } })
// @ts-expect-error a group that is none
const wrongToo = () => t3Small({ postgre: {} })
// @ts-expect-error an option that is none
const wrongStill = () => reconcile({ playbook: t3Small(), dryrun: true })

const playbook = definePlaybook({
  name: 'web',
  params: z.strictObject({ text: z.string().default('hello') }),
  tasks: ({ text }) => [motd({ text }), sysctl({ settings: { 'vm.swappiness': 10 } })],
})
t3Small({ app: { port: 5001 }, postgres: { max_connections: 75 }, swap: { size: '1G' } })
const report: Report = await reconcile({ playbook: playbook({ text: 'x' }), dryRun: true })
const { changes } = await motd({ text: 'x' }).assess(fakeHost({}))
console.log(JSON.stringify([report.hosts[0]?.tasks[0]?.changes[0]?.after, changes.length, wrong, wrongToo, wrongStill].slice(0, 2)))
`

t.test('TypeScript infers everything, refuses what is wrong, and runs', async t => {
  await put(
    'typed.ts',
    typed
      .replace("motd({ txt: 'x' })", "const first = () => motd({ txt: 'x' })")
      .replace('motd({})', 'const second = () => motd({})'),
  )
  const typeRoots = [join(root, 'node_modules/@types')]
  const compilerOptions = {
    typeRoots,
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    types: ['node'],
    skipLibCheck: false,
    outDir: 'out',
  }
  await put('tsconfig.json', JSON.stringify({ compilerOptions, files: ['typed.ts'] }))
  const compiled = await inProject('node', join(root, 'node_modules/typescript/bin/tsc'), '-p', '.')
  t.match(compiled, { code: 0, stdout: '' })
  t.match(await inProject('node', 'out/typed.js'), { code: 0, stdout: '["xx",2]\n', stderr: '' })
})

t.test('no types of our dependencies, nor those of Node, need to be installed', async t => {
  await put(
    'untyped.ts',
    ['', '/modules', '/playbooks/t3-small', '/playbooks/size', '/testing']
      .map((path, index) => `export * as part${index} from 'sak-reconcile${path}'`)
      .join('\n'),
  )
  for (const skipLibCheck of [true, false]) {
    const strict = { strict: true, exactOptionalPropertyTypes: true, target: 'es2022', module: 'nodenext' }
    const compilerOptions = { ...strict, types: [], skipLibCheck, noEmit: true }
    await put('tsconfig.untyped.json', JSON.stringify({ compilerOptions, files: ['untyped.ts'] }))
    const compiled = await inProject(
      'node',
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.untyped.json',
    )
    t.match(compiled, { code: 0, stdout: '' })
  }
})

t.test('plain JavaScript works the same, with the same checks', async t => {
  await put(
    'plain.js',
    `
    import { isSakError, reconcile } from 'sak-reconcile'
    import { t3Small } from 'sak-reconcile/playbooks/t3-small'
    const report = await reconcile({ playbook: t3Small({ swap: { size: '1G' } }), dryRun: true })
    const codes = []
    const mistakes = [
      () => t3Small({ swap: { sise: '1G' } }),
      () => reconcile({ playbook: {}, dryRun: true }),
      () => reconcile({ playbook: t3Small(), inventory: { hosts: { nowhere: { address: '127.0.0.1', port: 1 } } }, dryrun: true }),
    ]
    for (const mistake of mistakes) {
      try {
        await mistake()
      } catch (error) {
        codes.push(isSakError(error) && error.code)
      }
    }
    console.log(JSON.stringify([report.mode, report.hosts.length, codes]))
    `,
  )
  const { code, stdout, stderr } = await inProject('node', 'plain.js')
  t.same([code, stderr, JSON.parse(stdout)], [0, '', ['dry-run', 1, ['invalid-params', 'usage', 'usage']]])
})

t.test('a config and a playbook in TypeScript are loaded, of this install', async t => {
  await put(
    'sak.config.ts',
    `import { defineConfig } from 'sak-reconcile'
    import { t3Small } from 'sak-reconcile/playbooks/t3-small'
    const port: number = 5001
    export default defineConfig({ playbook: t3Small({ app: { port } }), inventory: 'localhost,' })`,
  )
  t.teardown(() => rm(join(project, 'sak.config.ts')))
  const { stdout } = await inProject('npx', '--no-install', 'sak-reconcile', '-n', '--json', '-t', 'memory')
  t.same(
    Report.parse(JSON.parse(stdout)).hosts[0]?.tasks.map(task => task.label),
    ['swapfile', 'sysctl'],
  )
})

/** A playbook with all that the command line and whatever copy of the package a playbook imports must agree on. */
const shared = `
  import { defineModule, definePlaybook, isSakError, SakError, secret, together, write } from 'sak-reconcile'
  import { file } from 'sak-reconcile/modules'
  import { z } from 'zod'
  const note = defineModule({
    name: 'note',
    description: 'Keeps a note.',
    params: z.strictObject({ path: z.string() }),
    impact: 'none',
    owns: ({ path }) => [path],
    check: async (host, { path }) => {
      if (path.endsWith('refused')) throw new SakError('invalid-params', 'as it says')
      return { current: { saved: await host.file(path) }, desired: { saved: { kind: 'file', path, content: 'x' } } }
    },
    apply: ({ saved }) => [saved && write(saved.after)],
  })
  export default definePlaybook({
    name: 'shared',
    params: z.strictObject({ folder: z.string() }),
    tasks: ({ folder }) => [
      together([note({ path: folder + '/a' }, { label: 'a' }), note({ path: folder + '/b' }, { label: 'b' })]),
      file({ path: folder + '/secret', content: 'key=' + secret.env('SAK_KEY'), mode: '0600' }, { label: 'secret', when: ({ facts }) => facts.cores > 0 }),
      note({ path: folder + '/refused' }, { label: 'fails' }),
    ],
  })`

t.test(
  'a playbook of an installed package, a file of the project and one without a project are all the same',
  async t => {
    const acme = join(project, 'node_modules/acme-servers')
    await mkdir(acme, { recursive: true })
    await writeFile(
      join(acme, 'package.json'),
      JSON.stringify({ name: 'acme-servers', type: 'module', exports: './web.js' }),
    )
    await writeFile(join(acme, 'web.js'), shared)
    for (const [place, path] of [
      [project, 'shared.ts'],
      [project, 'shared.mjs'],
      [home, 'shared.ts'],
    ] as const)
      await writeFile(join(place, path), shared)
    const cli = join(project, 'node_modules/sak-reconcile/dist/src/cli.js')
    const notes = join(folder, 'notes')
    await mkdir(notes)
    for (const [cwd, playbook] of [
      [project, 'acme-servers'],
      [project, './shared.ts'],
      [project, './shared.mjs'],
      [home, './shared.ts'],
    ] as const) {
      const argv = ['node', cli, playbook, '-e', `folder=${notes}`, '-i', 'localhost,', '--json', '--dry-run']
      const { stdout, stderr } = await run(argv, cwd, { ...env, SAK_KEY: 'very-secret-key' })
      t.notMatch(stdout + stderr, 'very-secret-key')
      const [host] = Report.parse(JSON.parse(stdout)).hosts
      t.same(
        host?.tasks.map(({ label, status }) => `${label} ${status}`),
        ['a drift', 'b drift', 'secret drift', 'fails failed'],
        playbook,
      )
      t.match(host?.tasks.at(-1)?.error, { code: 'invalid-params', message: 'as it says' })
    }
  },
)

const Coverage = z.object({ result: z.array(z.object({ url: z.string() })) })

t.test('a start loads few files, however many a playbook imports', async t => {
  const [coverage, cache] = [join(folder, 'coverage'), join(folder, 'first-cache')]
  await mkdir(cache)
  const cli = join(project, 'node_modules/sak-reconcile/dist/src/cli.js')
  const argv = ['node', cli, './shared.ts', '-e', `folder=${folder}/notes`, '-i', '127.0.0.1:1,', '--dry-run']
  const withCache = { ...env, XDG_CACHE_HOME: cache, SAK_KEY: 'very-secret-key' }
  await run(argv, project, withCache)
  t.equal((await run(argv, project, { ...withCache, NODE_V8_COVERAGE: coverage })).code, 4)
  const [name = ''] = await readdir(coverage)
  const { result } = Coverage.parse(JSON.parse(await readFile(join(coverage, name), 'utf8')))
  const files = result.flatMap(({ url }) =>
    /^(file:|\/)/.test(url) ? basename(url).replace(/-[A-Z0-9]{8}(?=\.js$)/, '') : [],
  )
  const own = ['built-main.js', 'chunk.js', 'cli.js', 'command-line.cjs']
  t.same(files.sort(), [...own, 'jiti.cjs', 'jiti.cjs', 'shared.ts'])
})

t.test('what V8 made of the command line is kept, and does no harm where it has gone wrong', async t => {
  const cache = join(folder, 'cache')
  await mkdir(cache)
  const cli = join(project, 'node_modules/sak-reconcile/dist/src/cli.js')
  const help = () => run(['node', cli, '--help'], project, { ...env, XDG_CACHE_HOME: cache })
  const first = await help()
  t.match(first, { code: 0, stderr: '' })
  const names = await readdir(join(cache, 'sak-reconcile'))
  t.equal(names.length, 1)
  const kept = join(cache, 'sak-reconcile', names[0] ?? '')
  const whole = await readFile(kept)
  const { ino } = await stat(kept)
  t.same(await help(), first)
  t.equal((await stat(kept)).ino, ino, 'V8 took it: it was not kept anew')
  const changed = Buffer.from(whole)
  changed.fill(0xff, 5000, 6000)
  for (const bad of [changed, whole.subarray(0, -1), Buffer.alloc(0)]) {
    await writeFile(kept, bad)
    t.same(await help(), first)
    t.ok((await readFile(kept)).length > 100_000, 'and is whole again')
  }
  await chmod(join(cache, 'sak-reconcile'), 0o777)
  await writeFile(kept, '')
  t.same(await help(), first)
  t.equal((await readFile(kept)).length, 0, 'a folder that others can write is left alone')
})

t.test('the command line hands over to the local install of a project, and works where there is none', async t => {
  const other = join(folder, 'other')
  await cp(join(project, 'node_modules'), join(other, 'node_modules'), { recursive: true })
  const manifest = join(other, 'node_modules/sak-reconcile/package.json')
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(/"version": "[^"]+"/, '"version": "99.0.0"'))
  const cli = join(other, 'node_modules/sak-reconcile/dist/src/cli.js')
  const version = async (cwd: string) => (await run(['node', cli, '--version'], cwd, env)).stdout.trim()
  t.equal(await version(home), '99.0.0')
  t.equal(await version(other), '99.0.0')
  t.not(await version(project), '99.0.0', 'the one of the project')
  await writeFile(
    join(home, 'web.ts'),
    `import { definePlaybook } from 'sak-reconcile'
    import { sysctl } from 'sak-reconcile/modules'
    import { z } from 'zod'
    export default definePlaybook({ name: 'web', params: z.strictObject({}), tasks: () => [sysctl({ settings: { 'vm.swappiness': 10 } })] })`,
  )
  const alone = await run(['node', cli, './web.ts', '--dry-run', '--json'], home, env)
  t.match(Report.parse(JSON.parse(alone.stdout)), { hosts: [{ tasks: [{ label: 'sysctl' }] }] }, alone.stderr)
  await writeFile(
    join(home, 'sak.config.ts'),
    `import { defineConfig } from 'sak-reconcile'
    import { t3Small } from 'sak-reconcile/playbooks/t3-small'
    export default defineConfig({ playbook: t3Small({ swap: { size: '1G' } }), inventory: 'localhost,' })`,
  )
  const configured = await run(['node', cli, '--dry-run', '--json', '-t', 'swapfile'], home, env)
  t.match(
    Report.parse(JSON.parse(configured.stdout)),
    { hosts: [{ tasks: [{ label: 'swapfile' }] }] },
    configured.stderr,
  )
})
