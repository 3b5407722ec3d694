import t from 'tap'
import { defineConfig } from '../../src/core/config.ts'

t.test('a config is what it was given', async t => {
  const config = { playbook: 't3-small', inventory: ['a', 'b'], vars: { swap: { size: '1G' } }, forks: 5 }
  t.equal(defineConfig(config), config)
  t.same(defineConfig({}), {})
})

t.test('a mistake names the key and what was meant', async t => {
  const of = (text: string) => () => defineConfig(JSON.parse(text))
  t.throws(of('{"playbok":"x"}'), { code: 'invalid-config', message: /"playbok". Did you mean playbook\?/ })
  t.throws(of('{"forks":0}'), { code: 'invalid-config', message: /^forks: / })
  t.throws(of('{"vars":["a"]}'), { code: 'invalid-config', message: /^vars: / })
})
