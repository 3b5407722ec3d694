import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { quote, quoteAll } from '../../src/core/quote.ts'

t.test('plain words stay readable, others are quoted', async t => {
  t.equal(quoteAll(['sysctl', '-p', '/etc/x.conf']), 'sysctl -p /etc/x.conf')
  t.equal(quote(''), "''")
  t.equal(quote("it's"), "'it'\\''s'")
  t.equal(quote('~'), "'~'")
  t.equal(quote('a\n'), "'a\n'")
  t.throws(() => quote('a\0b'), TypeError)
})

const shells = [['dash'], ['bash'], ['bash', '--posix'], ['busybox', 'sh']]
const nasty = fc.constantFrom(
  "'",
  '"',
  '\\',
  '$',
  '`',
  '\n',
  ' ',
  '*',
  '~',
  '!',
  '#',
  '=',
  '-',
  '\u00e9',
  '\u{1f600}',
  '\r',
  '&',
  '{',
  '^',
)
const argument = fc
  .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: nasty }), fc.constantFrom('if', 'A=b', '--', '-n', '%s'))
  .map(text => Buffer.from(text.replaceAll('\0', '')).toString())

for (const shell of shells) {
  const [command = '', ...flags] = shell
  const missing = spawnSync(command, ['--help']).error !== undefined && `no ${command} here`
  t.test(`10,000 random argument lists come back unchanged through ${shell.join(' ')}`, { skip: missing }, async t => {
    const lists = fc.sample(fc.array(argument, { maxLength: 5 }), { numRuns: 10_000 })
    const script = lists.map(list => `show ${quoteAll(list)}\n`).join('')
    const show = 'show() { printf \'%s\\0\' $# "$@"; }\n'
    const said = execFileSync(command, flags, { input: show + script, maxBuffer: 1 << 28 })
    const expected = lists.flatMap(list => [String(list.length), ...list]).map(text => `${text}\0`)
    t.ok(said.equals(Buffer.from(expected.join(''))))
  })
}

t.test('a command line is never an assignment or a keyword', async t => {
  t.equal(spawnSync('dash', ['-c', quoteAll(['A=b'])]).status, 127)
  t.equal(spawnSync('dash', ['-c', quoteAll(['if'])]).status, 127)
})
