import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Report } from '../../src/core/report.ts'
import { commandLine, notes } from './sak.ts'

const typed = `
import { defineConfig } from 'sak-reconcile'
import notes from './notes.ts'
const text: string = 'from the config'
export default defineConfig({ playbook: notes({ folder: '/nowhere', text }), inventory: 'localhost,' })
`
const plain = `
import { defineConfig } from 'sak-reconcile'
import notes from './notes.ts'
export default defineConfig({ playbook: notes, inventory: ['localhost,'], vars: { folder: '/nowhere', text: 'from the config' } })
`
const json = JSON.stringify({
  playbook: './notes.ts',
  inventory: { hosts: { localhost: {} } },
  vars: { folder: '/nowhere', text: 'from the config' },
})
const kinds = { 'sak.config.ts': typed, 'sak.config.js': plain, 'sak.config.mjs': plain, 'sak.config.json': json }

for (const [name, content] of Object.entries(kinds)) {
  t.test(`${name} says what to reconcile and where, also from a folder below`, async t => {
    const { cwd, run } = await commandLine(t, { 'notes.ts': notes, [name]: content })
    await mkdir(join(cwd, 'below'))
    process.chdir(join(cwd, 'below'))
    const { code, stdout } = await run('-n', '--json', '-e', 'isBlocked=true')
    t.equal(code, 6)
    const tasks = Report.parse(JSON.parse(stdout)).hosts[0]?.tasks
    t.match(tasks, [{ changes: [{ path: '/nowhere/a', after: 'from the config' }] }, { status: 'blocked' }])
  })
}

t.test('-e reaches into a group of params and leaves the rest of the config', async t => {
  const { run } = await commandLine(t, {
    'groups.ts': `
      import { definePlaybook } from 'sak-reconcile'
      import { z } from 'zod'
      const Group = z.strictObject({ one: z.number(), two: z.number() })
      export default definePlaybook({
        name: 'groups',
        params: z.strictObject({ group: Group }),
        tasks: ({ group }) => { throw new Error(JSON.stringify(group)) },
      })`,
    'sak.config.json': JSON.stringify({ playbook: './groups.ts', vars: { group: { one: 1, two: 2 } } }),
  })
  t.match(await run('-n', '-e', 'group.two=3'), { code: 1, stderr: '{"one":1,"two":3}' })
})

t.test('a mistake in a config names the file and the fix', async t => {
  const { cwd, run } = await commandLine(t)
  const mistakes: [string, string, RegExp][] = [
    ['sak.config.json', '{"playbok":"x"}', /invalid-config: .*sak\.config\.json: .*"playbok". Did you mean playbook\?/],
    ['sak.config.json', '{', /sak\.config\.json is not JSON/],
    ['sak.config.mjs', 'export const x = 1', /sak\.config\.mjs: .*"x"|no config as its default export/],
    ['sak.config.js', 'export default { playbook: 3 }', /sak\.config\.js has no playbook/],
    ['sak.config.ts', 'export default {', /sak\.config\.ts/],
  ]
  for (const [name, content, message] of mistakes) {
    await writeFile(join(cwd, name), content)
    t.match(await run('-n'), { code: 1, stdout: '', stderr: message }, content)
    await rm(join(cwd, name))
  }
})
