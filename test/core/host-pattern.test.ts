import fc from 'fast-check'
import t from 'tap'
import { isSakError, type SakError } from '../../src/core/errors.ts'
import { selectHosts, splitHostPattern } from '../../src/core/host-pattern.ts'
import { defineInventory } from '../../src/core/inventory.ts'

const inventory = defineInventory({
  hosts: { web1: {}, web2: {}, web3: {}, db1: {}, lone: {}, 'a.example.com': {}, '2001:db8::1': {} },
  groups: {
    web: { hosts: ['web1', 'web2', 'web3'] },
    db: { hosts: ['db1', 'web3'] },
    prod: { children: ['web', 'db'] },
    empty: {},
  },
})

const names = (pattern: string | readonly string[]) => selectHosts(inventory, pattern).map(host => host.name)

function refusal(pattern: string | readonly string[]): SakError {
  try {
    selectHosts(inventory, pattern)
  } catch (error) {
    if (isSakError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('splitting', async t => {
  t.strictSame(splitHostPattern('a:b'), ['a', 'b'])
  t.strictSame(splitHostPattern('a, b ,,c[0:2]'), ['a', 'b', 'c[0:2]'])
  t.strictSame(splitHostPattern('a:!b:&c,d:e'), ['a', '!b', '&c', 'd', 'e'])
  t.strictSame(splitHostPattern('2001:db8::1'), ['2001:db8::1'])
  t.strictSame(splitHostPattern('!2001:db8::1,a'), ['!2001:db8::1', 'a'])
  t.strictSame(splitHostPattern('@file,failed'), ['@file', 'failed'])
  t.strictSame(splitHostPattern('~web[0-9]+'), ['~web[0-9]+'])
  t.throws(() => splitHostPattern('a[0:b'), { code: 'usage' })
})

t.test('selecting', async t => {
  t.strictSame(names('web:db'), ['web1', 'web2', 'web3', 'db1'], 'each host once, in the order of the patterns')
  t.strictSame(names('!web,prod'), ['db1'], 'the order of signs does not matter')
  t.strictSame(names(['prod', '&web', '!web1']), ['web2', 'web3'])
  t.strictSame(names('2001:db8::1'), ['2001:db8::1'])
  t.strictSame(names('web[0]'), ['web1'])
  t.strictSame(names('web[-2]'), ['web2'])
  t.strictSame(names('web[0:1]'), ['web1', 'web2'])
  t.strictSame(names('web:!web'), [], 'nothing is an answer')
  t.strictSame(names('empty'), [])
  t.match(selectHosts(inventory, 'localhost'), [{ name: 'localhost', connection: 'local' }])
})

t.test('a pattern that means nothing is an error', async t => {
  t.match(refusal('wbe'), {
    code: 'usage',
    message: /"wbe" matches no host/,
    hint: /^Did you mean web\? The inventory has the groups: .*web.*; and the hosts: .*web1/,
  })
  t.match(refusal('all:!web9'), { code: 'usage', message: /"web9"/, hint: /Did you mean/ })
  t.match(refusal('x*'), { code: 'usage', hint: /The inventory has/ })
  t.match(refusal('web[3]'), { code: 'usage', message: /"web" has 3 hosts/ })
  t.match(refusal('web[-4]'), { code: 'usage' })
  t.match(refusal('web[5:9]'), { code: 'usage' })
  t.match(refusal('~('), { code: 'usage', message: /not a valid pattern/ })
  for (const empty of ['', ' ', ',', ':', []])
    t.match(refusal(empty), { code: 'usage', message: /empty/ }, 'never all hosts')
})

t.test('properties', async t => {
  const pattern = fc.stringMatching(/^[a-z0-9*?![\]&~:,.@ -]{0,12}$/)
  const known = fc.constantFrom('web', 'db', 'prod', 'web1', 'db1', 'lone', 'all', 'w*', '~.*1', 'web[0]', 'empty')
  fc.assert(
    fc.property(fc.oneof(pattern, fc.string()), text => {
      try {
        for (const host of selectHosts(inventory, text)) {
          if (host.name !== 'localhost' && !inventory.hosts.has(host.name)) return false
        }
        return true
      } catch (error) {
        return isSakError(error) && error.code === 'usage'
      }
    }),
    { numRuns: 2000 },
  )
  const sets = (text: string) => new Set(names(text))
  fc.assert(
    fc.property(known, known, (a, b) => {
      const [left, right] = [sets(a), sets(b)]
      const same = (text: string, wanted: string[]) => t.strictSame([...sets(text)].sort(), wanted.sort(), text)
      same(`${a}:${b}`, [...new Set([...left, ...right])])
      same(
        `${a}:&${b}`,
        [...left].filter(name => right.has(name)),
      )
      same(
        `${a}:!${b}`,
        [...left].filter(name => !right.has(name)),
      )
    }),
  )
})
