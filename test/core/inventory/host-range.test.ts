import t from 'tap'
import { parseHostWord } from '../../../src/core/inventory/host-range.ts'

const names = (word: string) => parseHostWord(word, 'x:1').names

t.strictSame(parseHostWord('web1', 'x:1'), { names: ['web1'] })
t.strictSame(parseHostWord('web1:2222', 'x:1'), { names: ['web1'], port: 2222 })
t.strictSame(parseHostWord('[2001:db8::1]:22', 'x:1'), { names: ['2001:db8::1'], port: 22 })
t.strictSame(names('2001:db8::1'), ['2001:db8::1'])
t.strictSame(names('web[08:10]'), ['web08', 'web09', 'web10'])
t.strictSame(names('w[8:10]'), ['w8', 'w9', 'w10'])
t.strictSame(names('w[1:6:2]'), ['w1', 'w3', 'w5'])
t.strictSame(names('w[:2]'), ['w0', 'w1', 'w2'])
t.strictSame(names('[a:c]-[1:2]'), ['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2'])
t.strictSame(parseHostWord('p[1:2]:22', 'x:1'), { names: ['p1', 'p2'], port: 22 })
t.equal(names('web[01:50]').length, 50)

const wrong = [
  'w[1]',
  'w[2:1]',
  'w[c:a]',
  'w[a:3]',
  'w[01:100]',
  'w[1:2:0]',
  'w[1:',
  'w]1[',
  'w[1-3]',
  'w[]',
  'w[ab:cd]',
]
for (const word of [...wrong, 'w[1:100001]', 'w[1:9999]x[1:9999]', 'w[1:99999999999999999999]', 'w[-1:3]']) {
  t.throws(() => names(word), { code: 'invalid-inventory', message: /^x:1: the host range/ }, word)
}
