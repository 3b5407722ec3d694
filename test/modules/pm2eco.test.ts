import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { pm2eco } from '../../modules/pm2eco/module.ts'
import {
  parseDump,
  parseGroup,
  parseJlist,
  parseListening,
  parsePasswd,
  parseUnit,
} from '../../modules/pm2eco/parse.ts'
import { isSakError } from '../../src/index.ts'
import { runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/pm2eco', import.meta.url)), pm2eco)
  t.ok(cases.length >= 12)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

const app = { name: 'shop', script: 'server.js', cwd: '/srv/shop' }

function message(params: unknown): string | undefined {
  try {
    pm2eco.parse(params)
  } catch (error) {
    if (isSakError(error) && error.code === 'invalid-params') return error.message
    throw error
  }
  return undefined
}

t.test('params', async t => {
  t.equal(message({ apps: [app] }), undefined)
  t.equal(message({ apps: [{ ...app, instances: 'max', exec_mode: 'cluster', node_args: '--a --b' }] }), undefined)
  t.match(message({ apps: [] }), /^pm2eco: apps: expected at least one app$/)
  t.match(message({ apps: [app, app] }), /apps: two apps have the same name/)
  t.match(message({ apps: [{ ...app, memory: '1G' }] }), /apps\[0\]: Unrecognized key: "memory"/)
  t.match(message({ apps: [{ ...app, max_memory_restart: '850MB' }] }), /apps\[0\].max_memory_restart: expected a size/)
  t.match(
    message({ apps: [{ ...app, kill_timeout: '5 seconds' }] }),
    /kill_timeout: expected milliseconds such as 5000/,
  )
  t.match(message({ apps: [{ ...app, instances: 0 }] }), /instances: expected a number of instances from 1 to 128/)
  for (const name of ['all', '0', '-f', 'a b', 'a,b', 'x.json', 'x.config.js', 'unit', "a'b", 'a\nb', '']) {
    t.match(message({ apps: [{ ...app, name }] }), /apps\[0\].name: /, JSON.stringify(name))
  }
  for (const name of ['a b', 'A=B', '1A', 'name', 'status', 'instances', '__proto__x y', 'NODE\n']) {
    t.match(message({ apps: [{ ...app, env: { [name]: '1' } }] }), /apps\[0\].env/, JSON.stringify(name))
  }
  t.match(message({ apps: [{ ...app, env: { A: '\0' } }] }), /apps\[0\].env.A: /)
  t.match(
    message({ apps: [{ ...app, exec_mode: 'cluster', env: { NODE_OPTIONS: '--x' } }] }),
    /apps\[0\].env.NODE_OPTIONS: has no effect in cluster mode .*: use node_args/,
  )
  for (const path of ['/srv/e.js', '/srv/e.yml', 'e.config.js', '/srv/x.json/e.config.js', '/srv/../e.config.js']) {
    t.match(message({ apps: [app], path }), /^pm2eco: path: expected/, path)
  }
  t.match(message({ apps: [app], health: { sop: { url: 'http://127.0.0.1' } } }), /health.sop: there is no such app/)
})

t.test('pm2 jlist', async t => {
  const list = (...entries: unknown[]) => JSON.stringify(entries)
  const shop = { name: 'shop', pm2_env: { pm_id: 0, status: 'online' } }
  t.same(parseJlist('[]\n'), [])
  t.same(parseJlist(list(shop)), [{ name: 'shop', env: { pm_id: 0, status: 'online' } }])
  const warned = `[PM2] Spawning PM2 daemon\n>>>> In-memory PM2 is out-of-date, do:\n>>>> $ pm2 update\n${list(shop)}\n`
  t.equal(parseJlist(warned).length, 1, 'what stands before the list is not the list')
  const leaving = { name: 'shop', pm2_env: { pm_id: '_old_0', status: 'online' } }
  const module = { name: 'pm2-logrotate', pm2_env: { pm_id: 1, pmx_module: true } }
  t.equal(parseJlist(list(shop, leaving, module)).length, 1)
  for (const broken of ['', '[', 'no', '[1]', '[{"name":1}]', '[{"name":"a"}]', '{}']) {
    t.throws(() => parseJlist(broken), { code: 'answer-broken' }, broken)
  }
})

t.test('no answer breaks a parser', async t => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.array(fc.json()).map(lines => lines.join('\n')),
  )
  fc.assert(
    fc.property(text, input => {
      try {
        parseJlist(input)
      } catch (error) {
        if (!isSakError(error)) throw error
      }
      parseDump(input)
      parsePasswd(input, 'ubuntu')
      parseGroup(input, '1000')
      parseListening(input)
      parseUnit(input)
    }),
    { numRuns: 500 },
  )
  t.pass()
})
