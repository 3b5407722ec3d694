import t from 'tap'
import { isSakError, type SakError } from '../../src/core/errors.ts'
import {
  defineInventory,
  explainHost,
  hostsOfGroup,
  type InventoryInput,
  localhost,
  mergeInventories,
} from '../../src/core/inventory.ts'

function refusal(work: () => unknown): SakError {
  try {
    work()
  } catch (error) {
    if (isSakError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('a host has its own settings and what its groups give it', async t => {
  const { hosts } = defineInventory({
    hosts: { web1: { address: '10.0.0.5', port: 2222, user: 'ubuntu', become: true, vars: { a: 1 } }, web2: {} },
    groups: { web: { hosts: ['web1', 'web2'], vars: { a: 0, b: { c: [1] }, ansible_user: 'deploy' } } },
  })
  t.strictSame(hosts.get('web1'), {
    name: 'web1',
    address: '10.0.0.5',
    port: 2222,
    user: 'ubuntu',
    connection: 'ssh',
    become: true,
    vars: { a: 1, b: { c: [1] } },
    groups: ['web'],
  })
  t.match(hosts.get('web2'), { address: 'web2', user: 'deploy', become: false, vars: { a: 0 } })
  t.notOk('port' in (hosts.get('web2') ?? {}), 'what is not set is left to ~/.ssh/config')
})

t.test('passwords are fields, never variables, and are not told', async t => {
  const inventory = defineInventory({
    hosts: { a: { becomePassword: 'own' }, b: { vars: { ansible_become_pass: 'var', ansible_password: 'login' } } },
  })
  t.match(inventory.hosts.get('a'), { becomePassword: 'own', vars: {} })
  t.match(inventory.hosts.get('b'), { becomePassword: 'var', password: 'login' })
  t.strictSame(inventory.hosts.get('b')?.vars, {})
  const told = JSON.stringify([...explainHost(inventory, 'a'), ...explainHost(inventory, 'b')])
  t.notMatch(told, /"own"|"var":|"login"/)
  t.match(explainHost(inventory, 'a'), [{ name: 'becomePassword', secret: true }])
})

t.test('the nearer wins: all < parents < children < host; siblings by priority, then by name', async t => {
  const { hosts } = defineInventory({
    hosts: { h: { vars: { host: 'host' } } },
    groups: {
      all: { vars: { top: 'all', parent: 'all', child: 'all', host: 'all' } },
      parent: { children: ['child'], vars: { parent: 'parent', child: 'parent', host: 'parent' } },
      child: { hosts: ['h'], vars: { child: 'child', host: 'child', sibling: 'child', first: 'child' } },
      aaa: { hosts: ['h'], vars: { parent: 'aaa', sibling: 'aaa' } },
      zzz: { children: ['yyy'] },
      yyy: { hosts: ['h'], vars: { sibling: 'yyy', first: 'yyy' } },
      xxx: { children: ['www'] },
      www: { hosts: ['h'], vars: { first: 'www', ansible_group_priority: 9 } },
    },
  })
  t.strictSame(hosts.get('h')?.vars, {
    top: 'all',
    parent: 'parent',
    child: 'child',
    host: 'host',
    sibling: 'yyy',
    first: 'www',
  })
})

t.test('where a variable comes from', async t => {
  const inventory = defineInventory({
    hosts: { h: { address: '10.0.0.1', vars: { a: 3 } } },
    groups: { all: { vars: { a: 1, b: 1 } }, web: { hosts: ['h'], vars: { a: 2 } } },
  })
  t.strictSame(explainHost(inventory, 'h'), [
    {
      name: 'address',
      kind: 'setting',
      from: 'host h',
      at: 'inventory.hosts.h.address',
      overrides: [],
      secret: false,
      value: '10.0.0.1',
    },
    {
      name: 'a',
      kind: 'var',
      from: 'host h',
      at: 'inventory.hosts.h.vars.a',
      overrides: [
        { from: 'group web', at: 'inventory.groups.web.vars.a' },
        { from: 'group all', at: 'inventory.groups.all.vars.a' },
      ],
      secret: false,
      value: 3,
    },
    {
      name: 'b',
      kind: 'var',
      from: 'group all',
      at: 'inventory.groups.all.vars.b',
      overrides: [],
      secret: false,
      value: 1,
    },
  ])
  t.match(
    refusal(() => explainHost(inventory, 'hh')),
    { code: 'usage', hint: 'Did you mean h?' },
  )
})

t.test('merging', async t => {
  const one = defineInventory({
    hosts: { a: { port: 1 }, b: {} },
    groups: { web: { hosts: ['a'], vars: { v: 1, w: 1 } } },
  })
  const two = defineInventory({ hosts: { a: { port: 2 }, c: {} }, groups: { web: { hosts: ['c'], vars: { v: 2 } } } })
  const merged = mergeInventories([one, two])
  t.strictSame(hostsOfGroup(merged, 'web'), ['a', 'c'])
  t.strictSame(hostsOfGroup(merged, 'ungrouped'), ['b'])
  t.match(merged.hosts.get('a'), { port: 2, vars: { v: 2, w: 1 } })
  t.match(
    refusal(() => mergeInventories([one, defineInventory({ hosts: { web: {} } })])),
    { code: 'invalid-inventory' },
  )
  t.equal(mergeInventories([]).hosts.size, 0)
})

t.test('localhost is this machine, unless something says otherwise', async t => {
  const { hosts } = defineInventory({ hosts: { localhost: {}, there: { address: '127.0.0.1' } } })
  t.equal(hosts.get('localhost')?.connection, 'local')
  t.equal(hosts.get('there')?.connection, 'ssh')
  t.equal(defineInventory({ hosts: { localhost: { port: 2222 } } }).hosts.get('localhost')?.connection, 'ssh')
  t.equal(defineInventory({ hosts: { localhost: { connection: 'ssh' } } }).hosts.get('localhost')?.connection, 'ssh')
  t.match(localhost(), { name: 'localhost', connection: 'local', become: false, groups: [] })
})

t.test('mistakes name the place and the fix', async t => {
  const refused: [InventoryInput | unknown, RegExp, RegExp][] = [
    [{ host: {} }, /unknown key "host"/, /Did you mean hosts\?/],
    [{ hosts: { a: { adress: 'x' } } }, /hosts\.a.*unknown key "adress"/, /address/],
    [{ groups: { a: { var: {} } } }, /groups\.a.*unknown key "var"/, /vars/],
    [{ hosts: { a: { port: '22' } } }, /hosts\.a\.port.*expected number/, /^$/],
    [{ hosts: { a: { port: 65536 } } }, /hosts\.a\.port/, /^$/],
    [{ hosts: { a: { connection: 'winrm' } } }, /hosts\.a\.connection/, /^$/],
    [{ hosts: { web1: {} }, groups: { w: { hosts: ['wbe1'] } } }, /groups\.w\.hosts\.0: host "wbe1" is not/, /web1/],
    [{ groups: { app: {}, w: { children: ['ap'] } } }, /groups\.w\.children\.0: group "ap" is not/, /app/],
    [{ hosts: { a: {} }, groups: { a: {} } }, /"a" names a host and also a group/, /Rename/],
    [{ hosts: { all: {} } }, /"all" names a host and also a group/, /Rename/],
    [
      { groups: { a: { children: ['b'] }, b: { children: ['a'] } } },
      /contain each other: (a > b > a|b > a > b)/,
      /Remove/,
    ],
    [{ groups: { a: { children: ['a'] } } }, /contain each other: a > a/, /Remove/],
    [{ groups: { a: { children: ['all'] } } }, /contain each other/, /Remove/],
    [{ hosts: { 'a b': {} } }, /"a b" cannot name a host/, /letters/],
    [{ hosts: { '': {} } }, /"" cannot name a host/, /name/],
    [{ hosts: { '-oProxyCommand=x': {} } }, /cannot name a host/, /letter/],
    [{ hosts: { '../x': {} } }, /cannot name a host/, /letters/],
    [{ hosts: { 'me@host': {} } }, /cannot name a host/, /user/],
    [{ hosts: { 'a:x': {} } }, /cannot name a host/, /host:port/],
    [{ hosts: { a: { address: '-x' } } }, /address of host "a" is not an address/, /host name/],
    [{ hosts: { a: { vars: { ansible_port: 'x' } } } }, /ansible_port of host "a" is not a port/, /65535/],
    [{ hosts: { a: { vars: { ansible_become: 'maybe' } } } }, /neither true nor false/, /true/],
    [{ hosts: { a: { vars: { ansible_host: '{{ x }}' } } } }, /is a template/, /value itself/],
    [{ hosts: { a: { vars: { ansible_connection: 'docker' } } } }, /not supported: "docker"/, /ssh or local/],
    [{ groups: { a: { vars: { ansible_group_priority: 'x' } } } }, /whole number/, /^$/],
    ['text', /expected object/, /^$/],
    [null, /expected object/, /^$/],
  ]
  for (const [input, message, hint] of refused) {
    // @ts-expect-error: mistakes that the types would refuse as well
    const { code, message: said, hint: hinted = '' } = refusal(() => defineInventory(input))
    t.equal(code, 'invalid-inventory', said)
    t.match(said, message)
    t.match(hinted, hint, said)
  }
})
