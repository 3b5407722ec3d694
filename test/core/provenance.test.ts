import t from 'tap'
import { z } from 'zod'
import { defineInventory, explainHost, type InventoryInput } from '../../src/core/inventory.ts'
import { definePlaybook } from '../../src/core/playbook.ts'
import {
  connectionOrigins,
  outsideLayers,
  paramOrigins,
  type SshLogin,
  variableOrigins,
  withoutSecrets,
} from '../../src/core/provenance.ts'
import { SecretString, secret } from '../../src/core/secret.ts'

const shop = definePlaybook({
  name: 'shop',
  params: z.strictObject({
    size: z.strictObject({ a: z.number().default(1), b: z.number().default(1) }).prefault({}),
    names: z.array(z.string()).default([]),
    key: SecretString.optional(),
  }),
  tasks: () => [],
})

/** Each of these sets `size.a` to another value. */
const layers = {
  playbook: { size: { a: 2 } },
  all: { size: { a: 3 } },
  web: { size: { a: 4 } },
  host: { size: { a: 5 } },
  commandLine: { size: { a: 6 } },
}

/** The params of a host for which as many of the layers count. */
function paramsWith(count: number) {
  const [playbook, all, web, host, commandLine] = Object.values(layers).map((vars, index) =>
    index < count ? vars : {},
  )
  const inventory = defineInventory({
    hosts: { h: { vars: host ?? {} } },
    groups: { all: { vars: all ?? {} }, web: { hosts: ['h'], vars: web ?? {} } },
  })
  return paramsOf(shop(playbook), inventory, commandLine ?? {})
}

function paramsOf(playbook: ReturnType<typeof shop>, inventory: ReturnType<typeof defineInventory>, commandLine = {}) {
  const host = inventory.hosts.get('h')
  if (!host) throw new Error('no h')
  const outside = outsideLayers(host, explainHost(inventory, 'h'), [{ from: 'command line', values: commandLine }])
  const [resolved] = playbook.expand({ host, commandLine, isFor: () => true }).params
  return resolved ? paramOrigins(resolved, outside) : []
}

t.test('each source of params wins over the one before, leaf by leaf', async t => {
  const found = [0, 1, 2, 3, 4, 5].map(count => paramsWith(count).find(({ name }) => name === 'size.a'))
  t.match(found, [
    { value: 1, from: 'default', overrides: [] },
    { value: 2, from: 'playbook', overrides: [] },
    { value: 3, from: 'group all', at: 'inventory.groups.all.vars.size', overrides: [{ from: 'playbook' }] },
    { value: 4, from: 'group web', at: 'inventory.groups.web.vars.size' },
    { value: 5, from: 'host h', at: 'inventory.hosts.h.vars.size' },
    { value: 6, from: 'command line', overrides: [{ from: 'host h' }, { from: 'playbook' }] },
  ])
  for (const count of [0, 1, 2, 3, 4, 5]) {
    t.match(
      paramsWith(count).find(({ name }) => name === 'size.b'),
      { value: 1, from: 'default', overrides: [] },
    )
  }
})

t.test('a variable counts as a whole, as its strongest place has it', async t => {
  const inventory = defineInventory({
    hosts: { h: { vars: { size: { a: 5 }, names: ['x'] } } },
    groups: { all: { vars: { size: { b: 7 } } } },
  })
  t.match(paramsOf(shop({ names: ['y', 'z'] }), inventory), [
    { name: 'size.a', value: 5, from: 'host h' },
    { name: 'size.b', value: 1, from: 'default' },
    { name: 'names', value: ['x'], from: 'host h', overrides: [{ from: 'playbook' }] },
  ])
})

t.test('what a schema makes of other values is not called a default', async t => {
  const named = definePlaybook({
    name: 'named',
    params: z.strictObject({
      site: z.strictObject({ name: z.string() }).transform(({ name }) => ({ name, url: `http://${name}` })),
    }),
    tasks: () => [],
  })
  const host = { name: 'h', groups: [], vars: {} }
  const [resolved] = named({ site: { name: 'x' } }).expand({ host, commandLine: {}, isFor: () => true }).params
  t.match(resolved && paramOrigins(resolved, []), [
    { name: 'site.name', from: 'playbook' },
    { name: 'site.url', value: 'http://x', from: 'computed from the others' },
  ])
})

t.test('the params of playbooks within are told too', async t => {
  const outer = definePlaybook({ name: 'outer', tasks: () => [shop({ size: { b: 9 } })] })
  const host = { name: 'h', groups: [], vars: {} }
  const found = outer().expand({ host, commandLine: {}, isFor: () => true }).params
  t.same(
    found.map(({ playbook }) => playbook),
    ['outer', 'shop'],
  )
  t.match(found[1] && paramOrigins(found[1], [])[1], { name: 'size.b', value: 9, from: 'playbook' })
})

t.test('no secret is told', async t => {
  const inventory = defineInventory({
    hosts: {
      h: {
        password: 'hunter1',
        becomePassword: 'hunter2',
        vars: {
          ansible_password: 'hunter3',
          db_password: 'hunter4',
          nested: { api_key: 'hunter5', list: [{ token: 'hunter6' }] },
          url: 'postgres://u:hunter7@db/x',
          password: 'hunter8',
        },
      },
    },
  })
  const host = inventory.hosts.get('h')
  const origins = explainHost(inventory, 'h')
  const params = paramsOf(shop({ key: secret.env('SHOP_KEY') }), inventory)
  const told = JSON.stringify([
    host && variableOrigins(host, origins),
    host && connectionOrigins(host, origins, {}, ssh),
    params,
  ])
  t.notMatch(told, /hunter/)
  t.match(params.at(-1), { name: 'key', value: '<secret env SHOP_KEY>', from: 'playbook' })
  t.same(withoutSecrets({ passphrase: 1, token: null, bypass: 'x', server_tokens: 'off', dbPass: 'x' }), {
    passphrase: '(not shown)',
    token: null,
    bypass: 'x',
    server_tokens: 'off',
    dbPass: '(not shown)',
  })
})

const ssh: SshLogin = {
  address: { value: 'h', from: 'default' },
  port: { value: 22, from: 'default' },
  user: { value: 'me', from: 'ssh config' },
  identityFiles: { value: ['/k'], from: 'default' },
  jump: undefined,
}

function connectionOf(input: InventoryInput, given = {}, found = ssh) {
  const inventory = defineInventory(input)
  const host = inventory.hosts.get('h')
  const rows = host ? connectionOrigins(host, explainHost(inventory, 'h'), given, found) : []
  return Object.fromEntries(rows.map(({ name, value, from, at }) => [name, { value, from, at }]))
}

t.test('how a host is reached, and who says so', async t => {
  t.match(connectionOf({ hosts: { h: {} } }), {
    connection: { value: 'ssh', from: 'default' },
    address: { value: 'h', from: 'default' },
    port: { value: 22, from: 'default' },
    user: { value: 'me', from: 'ssh config' },
    become: { value: false, from: 'default' },
  })
  const aliases = { ansible_host: '10.0.0.1', ansible_ssh_host: '10.0.0.2' }
  t.match(connectionOf({ hosts: { h: { vars: aliases } } }), {
    address: { value: '10.0.0.2', from: 'host h', at: 'inventory.hosts.h.vars.ansible_ssh_host' },
  })
  const own = { hosts: { h: { user: 'own', become: true } }, groups: { all: { vars: { ansible_user: 'group' } } } }
  t.match(connectionOf(own, { become: true }), {
    user: { from: 'host h' },
    become: { value: true, from: 'host h' },
    becomeUser: { value: 'root', from: 'default' },
  })
  const renamed: SshLogin = { ...ssh, address: { value: '10.9.9.9', from: 'ssh config' } }
  t.match(connectionOf({ hosts: { h: { address: 'alias' } } }, {}, renamed), {
    address: { value: '10.9.9.9', from: 'ssh config' },
  })
})
