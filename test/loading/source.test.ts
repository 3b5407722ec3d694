import { join } from 'node:path'
import t from 'tap'
import { findUp } from '../../src/loading/find-up.ts'
import { importDefault } from '../../src/loading/source.ts'

t.test('a file is found in a folder or in one above it, the first name first', async t => {
  const root = t.testdir({ 'b.json': '', 'a.json': '', in: { 'b.json': '', here: {} } })
  t.equal(findUp(join(root, 'in/here'), ['a.json', 'b.json']), join(root, 'in/b.json'))
  t.equal(findUp(root, ['a.json', 'b.json']), join(root, 'a.json'))
  t.equal(findUp(join(root, 'in'), ['no-such-name']), undefined)
})

t.test('TypeScript, ES modules and CommonJS give their default export', async t => {
  const cwd = t.testdir({
    'a.ts': "const x: number = 1\nexport default { x, kind: 'ts' } satisfies object",
    'b.mjs': "export default { kind: 'mjs' }",
    'c.cjs': "module.exports = { kind: 'cjs' }",
    'uses.ts': "import a from './a.ts'\nexport default a",
  })
  for (const [name, kind] of Object.entries({ 'a.ts': 'ts', 'b.mjs': 'mjs', 'c.cjs': 'cjs', 'uses.ts': 'ts' })) {
    t.match(await importDefault(join(cwd, name), cwd), { kind })
  }
})

t.test('without an install, sak-reconcile and zod are those of this copy', async t => {
  const cwd = t.testdir({
    'a.ts': `
      import { SakError } from 'sak-reconcile'
      import { sysctl } from 'sak-reconcile/modules'
      import { fakeHost } from 'sak-reconcile/testing'
      import { t3Small } from 'sak-reconcile/playbooks/t3-small'
      import { size } from 'sak-reconcile/playbooks/size'
      import { z } from 'zod'
      export default [SakError, sysctl, fakeHost, t3Small, size, z.string].map(each => typeof each)`,
  })
  t.same(await importDefault(join(cwd, 'a.ts'), cwd), Array(6).fill('function'))
})

t.test('where the project has an install, that one counts', async t => {
  const manifest = JSON.stringify({ name: 'sak-reconcile', type: 'module', exports: './index.js' })
  const cwd = t.testdir({
    // else it would be a file of this very package, whose name is the same
    'package.json': '{"type":"module"}',
    'a.ts': "import { which } from 'sak-reconcile'\nexport default which",
    node_modules: { 'sak-reconcile': { 'package.json': manifest, 'index.js': "export const which = 'local'" } },
  })
  t.equal(await importDefault(join(cwd, 'a.ts'), '/'), 'local')
})

t.test('an error of ours stays what it is, any other names the source', async t => {
  const cwd = t.testdir({
    'ours.ts': "import { SakError } from 'sak-reconcile'\nthrow new SakError('invalid-params', 'no')",
    'syntax.ts': 'export default {\n  a: = 1\n}',
  })
  await t.rejects(importDefault(join(cwd, 'ours.ts'), cwd), { code: 'invalid-params', message: 'no' })
  await t.rejects(importDefault(join(cwd, 'syntax.ts'), cwd), {
    code: 'usage',
    message: /syntax\.ts cannot be loaded[\s\S]*:2:/,
  })
})
