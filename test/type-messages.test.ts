/** What the compiler says of the mistakes in types.test.ts: it points at the property, and says what is known instead. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Said {
  /** The line of code. */
  readonly code: string
  /** The word that is pointed at. */
  readonly at: string
  readonly message: string
}

/** Compiles the mistakes as if they were not expected. */
async function mistakes(t: Test): Promise<{ readonly cases: number; readonly said: readonly Said[] }> {
  const text = await readFile(join(root, 'test/types.test.ts'), 'utf8')
  const parts = text.split('@ts-expect-error')
  const source = parts.join('mistake:')
  const lines = source.split('\n')
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { rootDir: root },
    include: [],
    files: ['mistakes.ts'],
  }
  const folder = t.testdir({ 'mistakes.ts': source, 'tsconfig.json': JSON.stringify(config) })
  const output = await compile(folder)
  const said = output.split(/\n(?! )/).flatMap((error): Said[] => {
    const [, line, column, message = ''] = /mistakes\.ts\((\d+),(\d+)\): error TS\d+: ([\s\S]*)$/.exec(error) ?? []
    const code = lines[Number(line) - 1]
    const at = /^\w*/.exec(code?.slice(Number(column) - 1) ?? '')?.[0]
    return code === undefined || at === undefined ? [] : [{ code, at, message }]
  })
  return { cases: parts.length - 1, said }
}

const compile = async (folder: string) =>
  new Promise<string>(resolve => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const node = ['-u', 'NODE_OPTIONS', process.execPath] // without what tap adds to every node
    execFile('env', [...node, tsc, '-p', folder, '--pretty', 'false'], (_, stdout) => resolve(stdout))
  })

/** By what stands in the code: the property that is pointed at (none where one is missing), and what the message has to say. */
const expected: Readonly<Record<string, readonly [at: string, message: RegExp]>> = {
  "motd({ text: 'x', time: 2 })": ['time', /'time' does not exist.*Did you mean to write 'times'\?/],
  'motd({}),': ['', /Property 'text' is missing/],
  'motd({ text: 1 })': ['text', /'number' is not assignable to type 'string'/],
  "{ tag: ['a'] }),": ['tag', /'tag' does not exist in type 'TaskOptions'. Did you mean to write 'tags'\?/],
  "size: '2GB'": ['size', /'"2GB"' is not assignable to type '`\$\{number\}G`/],
  'size: 2048': ['size', /'number' is not assignable to type '`\$\{number\}G`/],
  'sysctl({})': ['', /Property 'settings' is missing/],
  'nginks: {}': ['nginks', /'nginks' does not exist in type '\{ domain: string/],
  "port: '1'": ['port', /'string' is not assignable to type 'number'/],
  'facts.ram > 1000': ['ram', /Property 'ram' does not exist on type 'HostFacts'/],
  'postgre: {}': ['postgre', /Did you mean to write 'postgres'\?/],
  "size: '1GB'": ['size', /'"1GB"' is not assignable to type '`\$\{number\}G`/],
  "kill_timeout: '5sec'": ['kill_timeout', /'"5sec"' is not assignable to type '`\$\{number\}d`/],
  'prot: 5001': ['prot', /'prot' does not exist in type '\{ name\?: .* port\?: number/],
  'desired: { running: 1 }': ['', /Property 'saved' is missing/],
  'host.write()': ['write', /Property 'write' does not exist on type 'Host'/],
  "run(['true'], {})": ['', /Property 'undo' is missing/],
  "impact: 'reboot'": ['impact', /'"reboot"' is not assignable to type '"data" \| "none" \| "reload" \| "restart"'/],
  "service('nginx', 'kill')": ['', /'"kill"' is not assignable to parameter of type .*"restart"/],
  'dryrun: true': ['dryrun', /Did you mean to write 'dryRun'\?/],
  "allow: 'everything'": ['allow', /is not assignable to type '"data" \| "none"/],
  'reconcile({ inventory })': ['', /Property 'playbook' is missing/],
  "adress: '10.0.0.5'": ['adress', /Did you mean to write 'address'\?/],
  'playbok: playbook': ['playbok', /Did you mean to write 'playbook'\?/],
}

t.test('the compiler names what is wrong', async t => {
  const { cases, said } = await mistakes(t)
  t.equal(said.length, cases, 'of each mistake there is one error')
  for (const [code, [at, message]] of Object.entries(expected)) {
    const found = said.filter(each => each.code.includes(code))
    t.ok(found.length > 0, `there is such a mistake: ${code}`)
    for (const each of found) {
      t.match(each.message, message, code)
      if (at !== '') t.equal(each.at, at, `${code}: it points there`)
    }
  }
})
