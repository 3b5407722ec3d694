import t from 'tap'
import { commandLine } from './sak.ts'

const hosts = `
hosts:
  web1: { address: 10.0.0.5, user: ubuntu, become: true, becomePassword: hunter2, vars: { postgres: { max_connections: 60 } } }
  web2: {}
  box: { connection: local }
groups:
  web: { hosts: [web1, web2], vars: { overrides: remove, region: eu } }
  prod: { children: [web] }
  empty: {}
`

t.test('the tree of groups and hosts', async t => {
  const { run } = await commandLine(t, { 'hosts.yml': hosts })
  const all = await run('inventory', '-i', 'hosts.yml', '-u', 'joe')
  t.equal(all.code, 0)
  t.equal(
    all.stdout,
    `all
├─ ungrouped
│  └─ box      local
├─ prod
│  └─ web
│     ├─ web1  ssh ubuntu@10.0.0.5, becomes root
│     └─ web2  ssh joe@web2
└─ empty  no hosts
`,
  )
  const some = await run('inventory', '-i', 'hosts.yml', '-l', 'web1')
  t.match(some.stdout, /web1/)
  t.notMatch(some.stdout, /web2|box|empty/)
  const json = await run('inventory', '-i', 'hosts.yml', '--json')
  t.match(JSON.parse(json.stdout), { groups: { prod: { children: ['web'] } }, hosts: { web1: { user: 'ubuntu' } } })
  t.notMatch(json.stdout, /hunter/)
})

t.test('all about one host', async t => {
  const { run } = await commandLine(t, {
    'hosts.yml': hosts,
    'sak.config.json': JSON.stringify({ playbook: 't3-small', vars: { pm2: { instances: 3, max_restarts: 5 } } }),
  })
  const { code, stdout } = await run('inventory', '--host', 'web1', '-i', 'hosts.yml', '-e', 'pm2.instances=2')
  t.equal(code, 0)
  for (const line of [
    /^web1 {2}in prod, web$/m,
    /^ {2}address +'10.0.0.5' +host web1 \(hosts.yml:3\)$/m,
    /^ {2}port +22 +default$/m,
    /^ {2}becomePassword +'\(not shown\)' +host web1 \(hosts.yml:3\)$/m,
    /^ {2}region +'eu' +group web \(hosts.yml:7\)$/m,
    /^Params of t3-small$/m,
    /^ {2}pm2.instances +2 +command line, over sak.config.json$/m,
    /^ {2}pm2.max_restarts +5 +sak.config.json$/m,
    /^ {2}postgres.max_connections +60 +host web1 \(hosts.yml:3\)$/m,
    /^ {2}postgres.work_mem +'2MB' +default$/m,
    /^ {2}overrides +'remove' +group web \(hosts.yml:7\)$/m,
  ]) {
    t.match(stdout, line)
  }
  t.notMatch(stdout, /hunter|computed/)
  t.match(await run('inventory', '--host', 'wbe1', '-i', 'hosts.yml'), { code: 1, stderr: /Did you mean web1/ })
  t.match(await run('inventory', '--host', 'web1', '-i', 'hosts.yml', '-e', 'pm3=1'), {
    code: 1,
    stderr: /no param is called "pm3". Did you mean pm2/,
  })
})
