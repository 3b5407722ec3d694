import fc from 'fast-check'
import t from 'tap'
import { printable } from '../../src/core/terminal.ts'

t.test('escape sequences vanish, text stays', async t => {
  t.equal(printable('\u001b[31mred\u001b[0m'), 'red')
  t.equal(printable('\u001b]0;title\u0007text'), 'text')
  t.equal(printable('\u001b]52;c;ZXZpbA==\u001b\\text'), 'text')
  t.equal(printable('\u001bPq#0;2\u001b\\text'), 'text')
  t.equal(printable('\u009b31mred'), 'red')
  t.equal(printable('a\tb\r\nc\rd\u0000\u0007\u007f'), 'a\tb\nc\nd')
  t.equal(printable('pay \u202eevil\u202c'), 'pay evil')
  t.equal(printable('grüße 日本 👍'), 'grüße 日本 👍')
})

t.test('nothing that a terminal obeys ever remains', async () => {
  const dangerous = fc.constantFrom(
    '\u001b',
    '[',
    ']',
    '\u009b',
    '\u009d',
    '0',
    ';',
    'm',
    '\u0007',
    '\\',
    '\n',
    'x',
    'P',
  )
  fc.assert(
    fc.property(
      fc.array(dangerous).map(parts => parts.join('')),
      text => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
        return !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(printable(text))
      },
    ),
    { numRuns: 2000 },
  )
})
