import fc from 'fast-check'
import t from 'tap'
import { isSakError } from '../../../src/core/errors.ts'
import { inventoryOf } from '../../../src/core/inventory.ts'
import { parseAnsibleIni } from '../../../src/loading/inventory/ansible-ini.ts'

const read = (text: string) => inventoryOf(parseAnsibleIni(text, 'hosts'))

t.test('mistakes name file and line', async t => {
  const wrong: [string, RegExp][] = [
    ['[web]\na b', /^hosts:2: after host "a" comes a word without "="/],
    ['a ansible_password=hunter2 hunter3', /^hosts:1: (?!.*hunter)/],
    ['a x="b', /^hosts:1: a quote is not closed/],
    ['a x=b\\', /^hosts:1: .*backslash/],
    ['[web]\n\n[web:var]\n', /^hosts:3: section \[web:var\] is of an unknown kind/],
    ['[a b]', /^hosts:1: not a section/],
    ['[web:vars]\nsecret', /^hosts:2: a line of section \[web:vars\] has no "="/],
    ['[web:vars]\na=1', /^hosts:2: group "web" is not defined/],
    ['[a:children]\nb', /^hosts:2: group "b" is not defined/],
    ['[a:children]\nb c', /^hosts:2: .*not the name of a group/],
    ['[a:children]\nb\n[b:children]\na', /^hosts:\d: groups contain each other/],
    ['[web]\nweb', /^hosts:2: "web" names a host and also a group \(hosts:1\)/],
    ['a:', /^hosts:1: "a:" cannot name a host/],
    ['""', /^hosts:1: "" cannot name a host/],
    ['web[2:1]', /^hosts:1: the host range/],
    ['a ansible_port=x', /^hosts:1: ansible_port of host "a" is not a port/],
    ['$ANSIBLE_VAULT;1.1;AES256\n61', /^hosts: encrypted by ansible-vault/],
  ]
  for (const [text, message] of wrong) {
    t.throws(() => read(text), { code: 'invalid-inventory', message }, JSON.stringify(text))
  }
})

t.test('no text makes it fail by anything but a SakError', async t => {
  const piece = fc.constantFrom(
    '[',
    ']',
    ':',
    '=',
    '"',
    "'",
    '\\',
    '#',
    ' ',
    '\n',
    'a',
    'web',
    '1',
    'vars',
    'children',
    '(',
    '{',
    ',',
    '\0',
    'é',
    '$',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join('')),
  )
  fc.assert(
    fc.property(text, given => {
      try {
        read(given)
        return true
      } catch (error) {
        return isSakError(error) && error.code === 'invalid-inventory'
      }
    }),
    { numRuns: 5000 },
  )
  t.match(read(`a x=${'['.repeat(100_000)}`).hosts.get('a')?.vars.x, '[[[')
})

t.test('no host is lost, and each has its variables', async t => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/).map(word => `h-${word}`)
  const group = fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/).map(word => `g_${word}`)
  const value = fc.stringMatching(/^[a-z][a-z ]{0,5}$/).filter(text => text.trim() === text)
  const hosts = fc.dictionary(name, fc.dictionary(fc.stringMatching(/^v_[a-z]{1,3}$/), value, { maxKeys: 3 }), {
    maxKeys: 8,
  })
  fc.assert(
    fc.property(fc.dictionary(group, hosts, { maxKeys: 5 }), groups => {
      const lines = Object.entries(groups).flatMap(([group, hosts]) => [
        `[${group}]`,
        ...Object.entries(hosts).map(([host, vars]) =>
          [host, ...Object.entries(vars).map(([key, value]) => `${key}="${value}"`)].join(' '),
        ),
      ])
      const inventory = read(lines.join('\n'))
      const wanted: Record<string, Record<string, string>> = {}
      for (const [group, hosts] of Object.entries(groups)) {
        t.strictSame(inventory.groups.get(group)?.hosts, Object.keys(hosts))
        for (const [host, vars] of Object.entries(hosts)) wanted[host] = { ...wanted[host], ...vars }
      }
      t.strictSame(new Set(inventory.hosts.keys()), new Set(Object.keys(wanted)))
      for (const [host, vars] of Object.entries(wanted)) t.strictSame({ ...inventory.hosts.get(host)?.vars }, vars)
    }),
    { numRuns: 200 },
  )
})
