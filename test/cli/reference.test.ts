import t from 'tap'
import { z } from 'zod'
import { commandLine } from './sak.ts'

const motd = `
import { defineModule } from 'sak-reconcile'
import { z } from 'zod'
export const motd = defineModule({
  name: 'motd',
  description: 'Keeps the message of the day.',
  params: z.strictObject({ text: z.string().default('hello').describe('What it says') }),
  impact: 'none',
  example: { text: 'hi' },
  keys: { saved: 'the file' },
  owns: () => ['/etc/motd'],
  check: async host => ({ current: { saved: await host.file('/etc/motd') }, desired: { saved: await host.file('/etc/motd') } }),
  apply: () => [],
})
`

t.test('modules', async t => {
  const { run } = await commandLine(t, { 'motd.ts': motd, 'nothing.ts': 'export const a = 1' })
  const all = await run('modules')
  t.equal(all.code, 0)
  t.match(all.stdout, /^ {2}sysctl +Keeps kernel parameters/m)
  t.match(all.stdout, /^ {2}t3-small +A t3.small/m)

  const page = await run('modules', 'sysctl')
  for (const part of [
    'path  absolute path',
    "= '/etc/sysctl.d/60-sak.conf'",
    'settings',
    'required',
    'running',
    'sysctl:vm.swappiness',
  ]) {
    t.ok(page.stdout.includes(part), part)
  }
  t.ok(page.stdout.split('\n').every(line => line.length <= 100))

  const json = z.array(z.looseObject({ name: z.string() }))
  t.match(json.parse(JSON.parse((await run('modules', 't3-small', '--json')).stdout)), [{ name: 't3-small' }])
  t.ok(json.parse(JSON.parse((await run('modules', '--json')).stdout)).length >= 10)

  const own = await run('modules', './motd.ts')
  t.match(own, { code: 0, stdout: /motd\(\{ text: 'hi' \}\)[\s\S]*What it says[\s\S]*Looks at\n {2}saved {2}the file/ })
  t.match(await run('modules', 'sysctll'), {
    code: 1,
    stderr: /no module or playbook "sysctll"\n.*Did you mean sysctl\?/,
  })
  t.match(await run('modules', './nothing.ts'), { code: 1, stderr: /exports no module and no playbook/ })
})

t.test('schema', async t => {
  const { run } = await commandLine(t, { 'motd.ts': motd })
  const names = (await run('schema')).stdout.trim().split('\n')
  t.ok(names.length >= 14)
  for (const name of [...names, './motd.ts']) {
    const { code, stdout } = await run('schema', name)
    t.equal(code, 0, name)
    t.match(JSON.parse(stdout), { $schema: /2020-12/, type: 'object', properties: {} }, name)
  }
  t.match(await run('schema', 'repot'), { code: 1, stderr: /Did you mean report/ })
})
