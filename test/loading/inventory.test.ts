import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { explainHost, hostsOfGroup } from '../../src/core/inventory.ts'
import { loadInventory } from '../../src/loading/inventory.ts'

const core = pathToFileURL(join(import.meta.dirname, '../../src/core/inventory.ts')).href

function program(directory: string, name: string): void {
  chmodSync(join(directory, name), 0o755)
}

t.test('our own form, in JSON, YAML and modules', async t => {
  const shape = { hosts: { web1: { address: '10.0.0.5', become: true } }, groups: { web: { hosts: ['web1'] } } }
  const cwd = t.testdir({
    'a.json': JSON.stringify(shape),
    'a.yml': 'hosts:\n  web1: {address: 10.0.0.5, become: yes}\ngroups:\n  web: {hosts: [web1]}\n',
    'a.ts': `const shape: object = ${JSON.stringify(shape)}\nexport default shape\n`,
    'a.mjs': `export default ${JSON.stringify(shape)}\n`,
    'a.cjs': `module.exports = ${JSON.stringify(shape)}\n`,
    'defined.ts': `import { defineInventory } from '${core}'\nexport default defineInventory(${JSON.stringify(shape)})\n`,
  })
  for (const source of ['a.json', 'a.yml', 'a.ts', 'a.mjs', 'a.cjs', 'defined.ts']) {
    const inventory = await loadInventory([source], cwd)
    t.match(inventory.hosts.get('web1'), { address: '10.0.0.5', become: true, groups: ['web'] }, source)
  }
  const inventory = await loadInventory(['a.yml'], cwd)
  t.match(explainHost(inventory, 'web1'), [{ name: 'address', at: 'a.yml:2' }, {}])
})

t.test('several are merged, with the variables of directories', async t => {
  const cwd = t.testdir({
    'a.json': '{"hosts": {"one": {"port": 2222}}, "groups": {"web": {"hosts": ["one"]}}}',
    hosts: '[web]\ntwo\n[web:vars]\nx=hosts\n',
    group_vars: { 'web.yml': 'x: file\nansible_port: 22\n' },
    host_vars: { two: { 'a.yml': 'y: 1\n' } },
  })
  const inventory = await loadInventory(['a.json', 'hosts', 'three,'], cwd)
  t.strictSame(hostsOfGroup(inventory, 'web'), ['one', 'two'])
  t.strictSame(hostsOfGroup(inventory, 'ungrouped'), ['three'])
  t.match(inventory.hosts.get('one'), { port: 2222, vars: { x: 'file' } }, 'a setting wins over every variable')
  t.match(inventory.hosts.get('two'), { port: 22, vars: { x: 'file', y: 1 } })
  const x = explainHost(inventory, 'two').find(origin => origin.name === 'x')
  t.match(x, { at: 'group_vars/web.yml:1', overrides: [{ from: 'group web', at: 'hosts:4' }] })
})

t.test('mistakes name the file and the line', async t => {
  const cwd = t.testdir({
    'unknown.json': '{\n"hosts": {\n"a": {"adress": "x"}}}',
    'syntax.json': '{"hosts": ',
    'twice.yml': 'all:\n  hosts:\n    a:\n    a:\n',
    'skipped.yml': 'web:\n  host:\n    a:\n',
    'list.yml': 'web:\n  hosts:\n    - a\n',
    'plugin.yml': 'plugin: aws_ec2\n',
    'vault.yml': 'all:\n  vars:\n    a: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      12\n',
    'empty.yml': '',
    'circle.yml': 'a:\n  children:\n    b:\n      children:\n        a:\n',
    'notexecutable.sh': '#!/bin/sh\necho {}\n',
    'throws.ts': 'throw new Error("no luck")',
    'nothing.ts': 'export const other = 1',
    'wrong.ts': 'export default { hosts: { a: { prot: 1 } } }',
    'latin1.ini': Buffer.from('h x=\xe9\n', 'latin1'),
    sealed: { hosts: 'a\n', group_vars: { all: '$ANSIBLE_VAULT;1.1;AES256\n12\n' } },
    odd: { hosts: 'a\n', host_vars: { 'a.yml': '- x\n' } },
    directory: {},
  })
  const wrong: [string, RegExp, RegExp][] = [
    ['unknown.json', /^unknown\.json:3: hosts\.a has an unknown key "adress"/, /address/],
    ['syntax.json', /^syntax\.json:1: /, /^$/],
    ['twice.yml', /^twice\.yml:4: the key "a" is given twice/, /Join/],
    ['skipped.yml', /^skipped\.yml:2: group "web" has an unknown key "host"/, /hosts/],
    ['list.yml', /^list\.yml:2: hosts of group "web" must be a mapping, and is a list/, /colon/],
    ['plugin.yml', /^plugin\.yml:1: .*plugin aws_ec2/, /ansible-inventory/],
    ['vault.yml', /^vault\.yml:3: encrypted by ansible-vault/, /secret/],
    ['empty.yml', /^empty\.yml: is empty/, /^$/],
    ['circle.yml', /^circle\.yml:\d: groups contain each other/, /Remove/],
    ['notexecutable.sh', /^notexecutable\.sh: begins with #!/, /chmod/],
    ['throws.ts', /^throws\.ts: cannot be loaded: no luck/, /^$/],
    ['nothing.ts', /^nothing\.ts: /, /^|hosts/],
    ['wrong.ts', /^wrong\.ts: hosts\.a\.prot/, /port/],
    ['latin1.ini', /^latin1\.ini: is not UTF-8/, /^$/],
    ['sealed/hosts', /^sealed\/group_vars\/all: encrypted/, /secret/],
    ['odd/hosts', /^odd\/host_vars\/a\.yml:1: a file of variables must be a mapping/, /name: value/],
    ['directory', /^directory: is a directory/, /file/],
    ['nosuch', /^nosuch: there is no such inventory file/, /nosuch,/],
    ['me@host,', /^--inventory: "me@host" cannot name a host/, /user/],
  ]
  for (const [source, message, hint] of wrong) {
    await t.rejects(loadInventory([source], cwd), { code: 'invalid-inventory', message }, source)
    const found = await loadInventory([source], cwd).catch((error: { hint?: string }) => error.hint ?? '')
    t.match(found, hint, source)
  }
})

t.test('a program that fails, hangs, floods or babbles', async t => {
  const cwd = t.testdir({
    fails: '#!/bin/sh\necho "no token" >&2\nexit 3\n',
    hangs: '#!/bin/sh\nsleep 5 & wait\n',
    floods: '#!/bin/sh\nyes\n',
    babbles: '#!/bin/sh\necho "[web]"\n',
    number: '#!/bin/sh\necho 1\n',
    group: '#!/bin/sh\necho \'{"web": {"host": ["a"]}}\'\n',
    names: '#!/bin/sh\necho \'{"web": {"hosts": {"a": 1}}}\'\n',
    sealed: '#!/bin/sh\necho \'{"a": {"vars": {"x": [{"__ansible_vault": "$ANSIBLE_VAULT"}]}}}\'\n',
    killed: '#!/bin/sh\nkill -9 $$\n',
    nobody: '#!/no/such/interpreter\n',
    reads:
      '#!/bin/sh\ncat; echo \'{"w": {"hosts": ["a"], "vars": {"x": {"__ansible_unsafe": "{{"}}}, "_meta": {"hostvars": {}}}\'\n',
  })
  const wrong: [string, RegExp][] = [
    ['fails', /^fails --list ended with exit code 3: no token$/],
    ['hangs', /^hangs --list did not end within 0\.5 s/],
    ['floods', /^floods --list printed more than 10000 bytes/],
    ['babbles', /^babbles --list did not print JSON/],
    ['number', /^number printed a number/],
    ['group', /^group: web: group "web" has none of hosts, vars, children/],
    ['names', /^names: web\.hosts: hosts of group "web" must be a list/],
    ['sealed', /^sealed: a\.vars\.x: x: encrypted by ansible-vault/],
    ['killed', /^killed --list was ended by SIGKILL/],
    ['nobody', /^nobody --list could not be started/],
  ]
  for (const [source, message] of wrong) {
    program(cwd, source)
    const limits = { maxBytes: 10_000, timeoutMs: source === 'hangs' ? 500 : 20_000 }
    await t.rejects(loadInventory([source], cwd, limits), { code: 'invalid-inventory', message }, source)
  }
  program(cwd, 'reads')
  const { hosts } = await loadInventory(['reads'], cwd)
  t.strictSame(hosts.get('a')?.vars, { x: '{{' }, 'standard input is empty, and unsafe text is text')
})

t.test('a data file that is marked executable is not run', async t => {
  const cwd = t.testdir({ hosts: '[web]\na\n', 'a.yml': 'web:\n  hosts: {a: }\n' })
  for (const name of ['hosts', 'a.yml']) {
    program(cwd, name)
    t.strictSame(hostsOfGroup(await loadInventory([name], cwd), 'web'), ['a'], name)
  }
})
