import { join } from 'node:path'
import t from 'tap'
import { isPlaybook, isPlaybookFactory } from '../../src/core/playbook.ts'
import { asPlaybook, loadPlaybook } from '../../src/loading/playbook.ts'

const source =
  "import { definePlaybook } from 'sak-reconcile'\nconst made = definePlaybook({ name: 'p', tasks: () => [] })\n"

t.test('a built-in name, a file, a package', async t => {
  const cwd = t.testdir({
    'made.ts': `${source}export default made()`,
    'factory.mjs': `${source}export default made`,
    node_modules: {
      '@acme': {
        servers: {
          'package.json': JSON.stringify({ name: '@acme/servers', type: 'module', exports: { './web': './web.js' } }),
          'web.js': `${source}export default made`,
        },
      },
    },
  })
  for (const name of ['t3-small', 't3-small-busy', 't3-medium']) {
    const loaded = await loadPlaybook(name, cwd)
    t.equal(isPlaybookFactory(loaded) && loaded.playbookName, name)
  }
  t.ok(isPlaybook(await loadPlaybook('./made.ts', cwd)))
  t.ok(isPlaybook(await loadPlaybook(join(cwd, 'made.ts'), '/')), 'by its whole path, from anywhere')
  t.ok(isPlaybookFactory(await loadPlaybook('factory.mjs', cwd)))
  t.ok(isPlaybookFactory(await loadPlaybook('@acme/servers/web', cwd)))
})

t.test('what is no playbook is said so, with what to do', async t => {
  const cwd = t.testdir({ 'none.ts': 'export const x = 1', 'throws.ts': "throw new Error('oops')", 'a-folder': {} })
  await t.rejects(loadPlaybook('./none.ts', cwd), { code: 'invalid-playbook', hint: /definePlaybook/ })
  await t.rejects(loadPlaybook('./throws.ts', cwd), { code: 'usage', message: /throws\.ts cannot be loaded: oops$/ })
  await t.rejects(loadPlaybook('./missing.ts', cwd), {
    code: 'usage',
    message: /no file .*missing\.ts/,
    hint: /t3-small/,
  })
  await t.rejects(loadPlaybook('t3-samll', cwd), {
    code: 'usage',
    message: 'there is no playbook "t3-samll"',
    hint: /t3-small\?/,
  })
  await t.rejects(loadPlaybook('@acme/none', cwd), { code: 'usage', hint: /installed package/ })
  await t.rejects(loadPlaybook('a-folder', cwd), { code: 'usage', message: /a-folder cannot be loaded/ })
  t.throws(() => asPlaybook({}, 'the config'), { code: 'invalid-playbook', message: /^the config has no playbook/ })
})
