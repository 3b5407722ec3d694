import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/loading/config.ts'

t.test('the config of the project that a folder lies in', async t => {
  const root = t.testdir({ 'sak.config.json': '{"forks":3}', in: { here: {} } })
  t.same(await loadConfig(join(root, 'in/here')), {
    config: { forks: 3 },
    path: join(root, 'sak.config.json'),
    folder: root,
  })
  t.equal(await loadConfig('/'), undefined)
})

t.test('TypeScript is preferred to what it may have been compiled to', async t => {
  const root = t.testdir({
    'sak.config.js': 'export default { forks: 1 }',
    'sak.config.ts': 'export default { forks: 2 }',
  })
  t.match(await loadConfig(root), { config: { forks: 2 } })
})

t.test('what is no config is named by its file', async t => {
  const of = (content: string, name = 'sak.config.json') => loadConfig(t.testdir({ [name]: content }))
  await t.rejects(of('{'), { code: 'invalid-config', message: /sak\.config\.json is not JSON: / })
  await t.rejects(of('null'), { code: 'invalid-config', hint: /defineConfig/ })
  await t.rejects(of('{"fork":1}'), { code: 'invalid-config', message: /sak\.config\.json: .*Did you mean forks\?/ })
  await t.rejects(of('export default 3', 'sak.config.mjs'), {
    code: 'invalid-config',
    message: /no config as its default/,
  })
})
