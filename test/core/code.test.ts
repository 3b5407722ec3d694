import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { codeOf } from '../../src/core/code.ts'

const read = (code: string): unknown => JSON.parse(JSON.stringify(runInNewContext(`(${code})`)))

t.test('what is written reads back as it was', async t => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 10, max: 120 }), (value, width) => {
      t.strictSame(read(codeOf(value, width)), JSON.parse(JSON.stringify(value)))
    }),
  )
  for (const text of ["it's", 'a "b"', `both ' and "`, 'line\nbreak\\', '\u2028', '`$']) {
    t.equal(read(codeOf(text)), text)
  }
})

t.test('as one would write it', async t => {
  t.equal(codeOf({ a: ['80'], 'b-c': "it's", d: {}, e: undefined }), `{ a: ['80'], 'b-c': "it's", d: {} }`)
  t.equal(
    codeOf({ first: 'x'.repeat(10), list: [1, 2] }, 20),
    `{\n  first: 'xxxxxxxxxx',\n  list: [1, 2],\n}`,
    'in lines that fit',
  )
})
