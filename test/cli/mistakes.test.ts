import t from 'tap'
import { commandLine, notes } from './sak.ts'

t.test('help and version go to stdout', async t => {
  const { run } = await commandLine(t)
  t.match(await run('--help'), {
    code: 0,
    stdout: /Usage: sak-reconcile[\s\S]*--inventory[\s\S]*--dry-run/,
    stderr: '',
  })
  t.match(await run('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
})

t.test('a mistake is named before anything is touched, with what to do', async t => {
  const { run } = await commandLine(t, {
    'notes.ts': notes,
    'webs.ts':
      "import { definePlaybook } from 'sak-reconcile'\nexport default definePlaybook({ name: 'site', hosts: 'webs', tasks: () => [] })\n",
    'nested.yaml': 'groups: { web: { hosts: { web1: {} } } }\n',
    'hosts.yaml': 'hosts: { web1: {}, db1: {} }\ngroups: { web: { hosts: [web1] } }\n',
  })
  const mistakes: [string[], RegExp][] = [
    [['--nope'], /unknown option '--nope'[\s\S]*--help/],
    [['-f', '0', '-n'], /--forks.*whole number/],
    [['--allow', 'all', '-n'], /--allow.*none, reload, restart, data/],
    [['-e', 'folder', '-n'], /NAME=VALUE/],
    [['-y'], /which playbook, and on which host/],
    [['t3-small', '-y'], /no inventory[\s\S]*-i/],
    [['t3-smal', '-n'], /there is no playbook "t3-smal"[\s\S]*Did you mean t3-small\?/],
    [['./nope.ts', '-n'], /there is no file .*nope\.ts[\s\S]*t3-small/],
    [['@acme/servers/web', '-n'], /there is no playbook "@acme\/servers\/web"/],
    [['-n', '-e', 'swap.sise=1G'], /swap: Unrecognized key: "sise". Did you mean size\?/],
    [['-n', '-t', 'postgre'], /no task has the tag "postgre"[\s\S]*Did you mean postgres\?/],
    [['-n', '-l', 'web9'], /"web9" of --limit matches no host/],
    [['-n', '-i', './nope.yaml'], /no such inventory file/],
  ]
  for (const [args, message] of mistakes) {
    t.match(await run(...args), { code: 1, stdout: '', stderr: message }, args.join(' '))
  }
  t.match(await run('./webs.ts', '-n', '-i', 'hosts.yaml'), {
    stderr: new RegExp(
      'pattern "webs" of the playbook site matches no host and no group\n' +
        '  hint: Did you mean web or web1\\? hosts.yaml has the groups: web; and the hosts: db1, web1',
    ),
  })
  t.match(await run('-n', '-i', 'nested.yaml'), {
    stderr: /nested.yaml:1: groups.web.hosts: expected a list of names, such as \[one, two\]\n/,
  })
  t.match(await run('./notes.ts', '-n', '-i', 'hosts.yaml', '-l', 'wbe1'), {
    stderr: /pattern "wbe1" of --limit matches no host[\s\S]*Did you mean web1\? hosts.yaml has/,
  })
  t.match(await run('./notes.ts', '-n', '-e', 'text=3'), {
    code: 1,
    stderr: /notes: folder is missing: expected string\ntext: expected string, received number/,
  })
})

t.test('a file that cannot be loaded is named, with the place', async t => {
  const { run } = await commandLine(t, {
    'syntax.ts': 'export default {\n  a: = 2\n}\n',
    'module.ts': "import { sysctl } from 'sak-reconcile/modules'\nexport default sysctl({ setings: {} })\n",
    'none.ts': 'export const x = 3\n',
    'missing.ts': "import { x } from 'no-such-package'\nexport default x\n",
  })
  t.match(await run('./syntax.ts', '-n'), { code: 1, stderr: /syntax\.ts:2:/ })
  t.match(await run('./module.ts', '-n'), {
    code: 1,
    stderr: /sysctl: settings is missing.*\n.*Did you mean settings\?\n.*look at .*\/module\.ts:2;/,
  })
  t.match(await run('./none.ts', '-n'), { code: 1, stderr: /no playbook as its default export[\s\S]*definePlaybook/ })
  t.match(await run('./missing.ts', '-n'), { code: 1, stderr: /Cannot find module 'no-such-package'\n$/ })
})
