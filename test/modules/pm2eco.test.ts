import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { currentState, desiredState } from '../../modules/pm2eco/app.ts'
import { renderEcosystem } from '../../modules/pm2eco/ecosystem.ts'
import { pm2eco } from '../../modules/pm2eco/module.ts'
import { Params } from '../../modules/pm2eco/params.ts'
import {
  isModulePackage,
  isOurs,
  parseDump,
  parseJlist,
  parseListening,
  parseUnit,
} from '../../modules/pm2eco/parse.ts'
import { foreseenList } from '../../modules/pm2eco/saved-list.ts'
import { chooseAction } from '../../modules/pm2eco/steps.ts'
import { backTo } from '../../modules/pm2eco/undo.ts'
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
  const measured = { ...shop, pm2_env: { ...shop.pm2_env, axm_monitor: { 'Used Heap Size': { value: '9.94' } } } }
  t.same(parseJlist(list(measured)), parseJlist(list(shop)), 'what PM2 measures makes no difference')
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
      parseListening(input)
      parseUnit(input)
    }),
    { numRuns: 500 },
  )
  t.pass()
})

/** The app of params, as check gets it. */
function parsed(more: object) {
  const [first] = Params.parse({ apps: [{ ...app, ...more }] }).apps
  if (!first) throw new Error('no app')
  return first
}

/** What PM2 makes of an app, near enough for its state: names and values as in the recorded hosts. */
function processOf(more: object) {
  const { env, node_args = [], script: _, cwd, ...rest } = parsed(more)
  const own = {
    node_args,
    pm_exec_path: '/srv/shop/server.js',
    pm_cwd: cwd,
    exec_interpreter: 'node',
    status: 'online',
  }
  const laid = { ...rest, exec_mode: `${rest.exec_mode}_mode`, ...own, env: { ...env }, ...env }
  return { name: 'shop', env: laid }
}

t.test('the least disruptive action that applies a change', async t => {
  const actions: [string, object, object, string][] = [
    ['nothing differs', {}, {}, 'nothing'],
    ['a limit', { kill_timeout: 1000 }, { kill_timeout: 2000 }, 'reload'],
    ['a limit that was not set', {}, { kill_timeout: 2000 }, 'reload'],
    ['a limit taken away: a reload would keep it', { kill_timeout: 1000 }, {}, 'recreate'],
    ['arguments of Node', { node_args: ['--a'] }, { node_args: ['--b'] }, 'reload'],
    ['a variable', { env: { A: '1' } }, { env: { A: '2' } }, 'reload'],
    ['a new variable', { env: {} }, { env: { A: '2' } }, 'reload'],
    ['a variable taken away', { env: { A: '1' } }, { env: {} }, 'recreate'],
    ['the mode', { exec_mode: 'fork' }, { exec_mode: 'cluster' }, 'recreate'],
    ['the directory', {}, { cwd: '/srv/other' }, 'recreate'],
    ['the script', {}, { script: 'other.js' }, 'recreate'],
    ['the log file', {}, { out_file: '/srv/shop/out.log' }, 'recreate'],
    ['how many', {}, { instances: 2 }, 'scale'],
    ['how many, and a limit', {}, { instances: 2, kill_timeout: 2000 }, 'reload and scale'],
  ]
  for (const [what, before, after, action] of actions) {
    const listed = parsed(after)
    const current = currentState([processOf(before)], '/home/ubuntu/.pm2', listed)
    t.equal(chooseAction(current, desiredState(listed, 2)), action, what)
  }
  t.equal(chooseAction({}, desiredState(parsed({}), 2)), 'start')
})

t.test('processes that do not agree are shown as such', async t => {
  const processes = [processOf({ kill_timeout: 1000 }), processOf({})]
  t.match(currentState(processes, '/home/ubuntu/.pm2', parsed({})), { kill_timeout: '1000 | not set', instances: 2 })
})

t.test('variables of a session are nobody’s doing, others are, and their values stay unsaid', async t => {
  const ours = processOf({ env: { PORT: '1' } })
  const session = { SSH_CLIENT: '::1', XDG_SESSION_ID: '3', _: '/usr/bin/pm2', shop: '{}', PATH: '/bin', LC_TIME: 'C' }
  const before = { name: 'shop', env: { ...ours.env, ...session, SECRET: 'hunter2', env: { ...session, lower: 'x' } } }
  const state = currentState([before], '/home/ubuntu/.pm2', parsed({ env: { PORT: '1' } }))
  const variables = Object.keys(state).filter(key => key.startsWith('env.'))
  t.same(variables.sort(), ['env.PORT', 'env.SECRET', 'env.lower'])
  t.notMatch(JSON.stringify(state), /hunter2/)
})

t.test('an ecosystem file says what it was given, whatever that is', async t => {
  const value = fc.string({ unit: 'binary' }).filter(text => !text.includes('\0'))
  const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/)
  const args = fc.array(fc.string({ minLength: 1 }))
  fc.assert(
    fc.property(fc.dictionary(name, value), args, (env, words) => {
      const apps = [parsed({ env, args: words })]
      const script = renderEcosystem('/srv/shop/ecosystem.config.js', apps)
      const file = { exports: { apps: [{ env: {}, args: [] }] } }
      runInNewContext(script, { module: file })
      const json: unknown = JSON.parse(renderEcosystem('/srv/shop/ecosystem.json', apps))
      const Said = z.object({ apps: z.tuple([z.looseObject({ env: z.unknown(), args: z.unknown().default([]) })]) })
      for (const ecosystem of [JSON.parse(JSON.stringify(file.exports)), json]) {
        const [said] = Said.parse(ecosystem).apps
        t.equal(JSON.stringify([said.env, said.args]), JSON.stringify([env, words]))
      }
      t.ok(isOurs(script))
    }),
    { numRuns: 100 },
  )
})

t.test('going back gives each process its own settings and variables again', async t => {
  const pm2 = { pm2: '/usr/bin/pm2', user: 'ubuntu', env: {} }
  t.match(backTo(pm2, 'shop', []), [{ argv: ['sh', '-c', '"$1" delete "$2" || :', 'undo', '/usr/bin/pm2', 'shop'] }])
  const before = processOf({ exec_mode: 'cluster', kill_timeout: 1000, args: ['a b'], env: { A: "it's" } })
  const commands = backTo(pm2, 'shop', [before, before])
  t.match(commands, [{}, { argv: ['/usr/bin/pm2', 'start', '-'], as: 'ubuntu' }])
  t.match(JSON.parse(commands[1]?.stdin ?? ''), {
    apps: [
      {
        name: 'shop',
        script: '/srv/shop/server.js',
        cwd: '/srv/shop',
        instances: 2,
        exec_mode: 'cluster_mode',
        kill_timeout: 1000,
        args: ['a b'],
        env: { A: "it's" },
      },
    ],
  })
  const stopped = backTo(pm2, 'shop', [{ ...before, env: { ...before.env, status: 'stopped' } }])
  t.match(stopped[2], { argv: ['/usr/bin/pm2', 'stop', 'shop'] })
})

t.test('what else a host says', async t => {
  const sockets = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '00000000674e99a7: 00000002 00000000 00010000 0001 01 60856 /home/a b/.pm2/rpc.sock',
    '000000004d445af3: 00000003 00000000 00000000 0001 03 60855 /home/ubuntu/.pm2/rpc.sock',
    '000000004d445af4: 00000002 00000000 00010000 0001 01 60857 @/abstract',
  ]
  t.same([...parseListening(sockets.join('\n'))], ['/home/a b/.pm2/rpc.sock'], 'connected is not listening')
  const unit = parseUnit(
    '[Service]\nUser=a\nUser=b\n Environment=X=1 "PM2_HOME=/h/.pm2/"\nEnvironment=PM2_HOME=/h/.pm2\nExecStart=/usr/bin/pm2 resurrect\n',
  )
  t.same(unit, { user: 'b', pm2Home: '/h/.pm2', start: ['/usr/bin/pm2', 'resurrect'], generated: false })
  t.ok(isModulePackage('{"type":"module"}'))
  t.notOk(isModulePackage('{"type":"commonjs"}') || isModulePackage('{') || isModulePackage('[]'))
})

t.test('the list that a save will keep is foreseen, as far as logs go', async t => {
  const params = Params.parse({
    apps: [
      { name: 'my_shop', script: 'server.js', cwd: '/srv/shop' },
      { name: 'api', script: 'api.js', cwd: '/srv/api', out_file: '/srv/api/logs/out.log' },
    ],
  })
  const env = { pm_out_log_path: '/srv/shop/logs/out.log', pm_err_log_path: '/srv/shop/logs/error.log' }
  const processes = [
    { name: 'my_shop', env },
    { name: 'other', env },
  ]
  const { path, content } = foreseenList('/home/me/.pm2', processes, params)
  t.equal(path, '/home/me/.pm2/dump.pm2')
  t.same(JSON.parse(content ?? ''), [
    {
      name: 'my_shop',
      pm_out_log_path: '/home/me/.pm2/logs/my-shop-out.log',
      pm_err_log_path: '/home/me/.pm2/logs/my-shop-error.log',
    },
    {
      name: 'api',
      pm_out_log_path: '/srv/api/logs/out.log',
      pm_err_log_path: '/home/me/.pm2/logs/api-error.log',
    },
    { name: 'other', ...env },
  ])
})
