/**
 * What a start loads: packages and built-in modules, since each costs every run of the command line some of its time. What is built has
 * most of them inside: test/e2e/package.test.ts has its files.
 */
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { emptyFolder, notes, sak } from './sak.ts'

const builtIn = new URL('../../modules/', import.meta.url).href
const Coverage = z.object({ result: z.array(z.object({ url: z.string() })) })

/** The packages and built-in modules that a command line loads, as V8 lists the scripts that a process has. */
async function loadedBy(t: Test, args: readonly string[], cwd: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sak-coverage-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const ran = await sak(args, { cwd, env: { NODE_V8_COVERAGE: folder } })
  const packages = new Set<string>()
  const modules = new Set<string>()
  for (const name of await readdir(folder)) {
    const { result } = Coverage.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))
    for (const { url } of result) {
      const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
      if (name !== undefined) packages.add(name)
      else if (url.startsWith(builtIn)) modules.add(url.slice(builtIn.length).split('/')[0] ?? '')
    }
  }
  for (const loader of ['tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps']) packages.delete(loader) // of the tests alone
  return { code: ran.code, packages: [...packages].sort(), modules: [...modules].sort() }
}

t.test('--version loads no package', async t => {
  t.same(await loadedBy(t, ['--version'], await emptyFolder(t)), { code: 0, packages: [], modules: [] })
})

const commandLine = ['commander', 'picocolors', 'zod']
const playbooks = ['diff', 'ejs', 'jiti', 'picomatch']
const runs = ['dataloader', 'p-limit', 'yocto-queue']
const ssh = ['node-ssh', 'ssh2', 'cpu-features', 'asn1', 'bcrypt-pbkdf', 'safer-buffer', 'tweetnacl']
const ofNodeSsh = ['is-stream', 'sb-promise-queue', 'sb-scandir', 'shell-escape', 'make-dir', 'semver']

t.test('what is loaded: as much as a run needs, and no more', async t => {
  const cwd = await emptyFolder(t)
  await writeFile(join(cwd, 'notes.mjs'), notes)
  const base = ['./notes.mjs', '-n', '-e', `folder=${cwd}`]
  const loads = async (args: readonly string[], code: number, most: readonly string[]) => {
    const { packages, ...ran } = await loadedBy(t, args, cwd)
    t.same(ran, { code, modules: [] }) // none of them is in the playbook
    t.same(
      packages.filter(name => !most.includes(name)),
      [],
      args[0] ?? '',
    )
    return packages
  }
  await loads(['--help'], 0, commandLine)
  await loads(base, 2, [...commandLine, ...playbooks, ...runs])
  const web = createServer(socket => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  t.teardown(() => web.close())
  await once(web, 'listening')
  const address = web.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const overSsh = await loads([...base, '-i', `127.0.0.1:${port},`], 4, [
    ...commandLine,
    ...playbooks,
    ...runs,
    ...ssh,
    ...ofNodeSsh,
  ])
  t.ok(overSsh.includes('ssh2'), 'SSH where a host is reached by it')
  const listing = await loadedBy(t, ['modules'], cwd)
  t.ok(listing.modules.includes('sysctl'), 'built-in modules where somebody asks for them')
})
