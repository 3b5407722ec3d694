import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Report } from '../../src/core/report.ts'
import { commandLine, sak } from './sak.ts'

/** Judges hosts by their name alone, and changes nothing: `bad` fails as long as there is a file of that name beside it. */
const playbook = `
import { defineModule, definePlaybook, blocked } from 'sak-reconcile'
import { existsSync } from 'node:fs'
import { z } from 'zod'

const judge = defineModule({
  name: 'judge',
  description: 'Judges hosts.',
  params: z.strictObject({ isBad: z.boolean() }),
  impact: 'none',
  owns: () => ['judge'],
  check: async (host, { isBad }) => {
    if (isBad) throw new Error('no such luck')
    return { current: {}, desired: {} }
  },
  apply: () => [],
})

export default definePlaybook({
  name: 'judges',
  tasks: (_, { name }) => [judge({ isBad: name === 'bad' && existsSync(import.meta.dirname + '/bad') })],
})
`
const local = { connection: 'local' }
const hosts = JSON.stringify({ hosts: { a: local, bad: local, c: local, d: local } })

async function project(test: Test, files: Record<string, string> = {}) {
  const line = await commandLine(test, { 'judges.ts': playbook, 'hosts.json': hosts, bad: '', ...files })
  const state = test.testdir({})
  process.env.XDG_STATE_HOME = state
  const look = async (...args: string[]) => {
    const ran = await line.run('./judges.ts', '-n', '-i', 'hosts.json', '--json', ...args)
    const names = ran.stdout === '' ? [] : Report.parse(JSON.parse(ran.stdout)).hosts.map(host => host.name)
    return { ...ran, names }
  }
  const apply = (...args: string[]) =>
    sak(['./judges.ts', '-i', 'hosts.json', '-y', ...args], { cwd: line.cwd, env: { XDG_STATE_HOME: state } })
  return { ...line, state, look, apply }
}

t.test('a rollout stops at the first batch that fails, and --limit failed takes what is left', async t => {
  const { look, apply, state } = await project(t)
  const stopped = await apply('--serial', '1')
  t.match(stopped, {
    code: 4,
    stderr: '',
    stdout: /not started c, d {2}bad failed, and at most 0 may\n4 hosts \(1 failed, 2 skipped, 1 ok\)/,
  })
  const remembered = readdirSync(join(state, 'sak-reconcile')).filter(name => name.startsWith('last-run'))
  t.equal(remembered.length, 1)
  const rest = await apply('--limit', 'failed', '--serial', '1', '--max-fail', '1', '-v')
  t.match(rest, {
    code: 4,
    stdout: /3 hosts \(1 failed, 2 ok\)/,
    stderr: /bad: failed in .* \(1\/3\)\n[\s\S]*d: ok in .* \(3\/3\)/,
  })
  t.same((await look('-l', 'all:!failed')).names, ['a', 'c', 'd'])
})

t.test('a dry run is remembered too, but not where nothing is configured', async t => {
  const { run, look, state, cwd } = await project(t)
  t.match(await look('-l', 'failed'), { code: 1, stderr: /usage: --limit failed: no earlier run/ }, 'never all')
  await run('-n')
  t.same(readdirSync(state), [], 'nothing is written')
  await look()
  t.same((await look('-l', 'failed')).names, ['bad'])
  await writeFile(join(cwd, 'some'), 'a\n# c\nd\n')
  t.same((await look('-l', '@some')).names, ['a', 'd'])
  t.match(await look('-l', 'failed'), { code: 1, stderr: /left every host in sync/ })
})

t.test('a config says how to roll out, the command line is stronger', async t => {
  const config = JSON.stringify({ playbook: './judges.ts', inventory: 'hosts.json', serial: [1, '50%'], maxFail: 4 })
  const { run, apply } = await project(t, { 'sak.config.json': config })
  t.match(await apply(), { code: 4, stdout: /4 hosts \(1 failed, 3 ok\)/ })
  t.match(await apply('--max-fail', '0'), { stdout: /not started d {2}/ }, 'the batch that was begun ends')
  for (const [args, message] of [
    [['--serial', '0'], /expected a number of hosts \(2\) or a share of them \(25%\), or several/],
    [['--max-fail', 'x'], /expected a number of hosts/],
    [['--health', 'web1'], /expected a URL/],
  ] as const)
    t.match(await run('-n', ...args), { code: 1, stderr: message })
})
