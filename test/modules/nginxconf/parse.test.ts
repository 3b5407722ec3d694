import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { type Directive, parseConfig } from '../../../modules/nginxconf/parse.ts'
import { checkPlaces } from './places.ts'

const words = (text: string) => parseConfig(text).directives.map(({ name, args }) => [name, ...args.map(a => a.value)])
const all = (directives: readonly Directive[]): Directive[] =>
  directives.flatMap(directive => [directive, ...all(directive.block?.directives ?? [])])

/**
 * 500 texts of random tokens and what nginx 1.22.1 (Debian 12) said of each: `nginx -t` on a configuration that includes the
 * text within `types { }`, where any directive is accepted but no block.
 */
t.test('says what nginx says, with its line', async t => {
  const verdicts = z
    .array(z.union([z.tuple([z.string(), z.literal('ok')]), z.tuple([z.string(), z.string(), z.number()])]))
    .parse(JSON.parse(await readFile(new URL('../../../fixtures/nginx-syntax/verdicts.json', import.meta.url), 'utf8')))
  t.equal(verdicts.length, 500)
  const otherwise = verdicts.filter(([text, verdict, line]) => {
    const { directives, error } = parseConfig(text)
    if (directives.some(directive => directive.block)) return verdict !== 'unexpected "{"'
    return (error?.message ?? 'ok') !== verdict || error?.line !== line
  })
  t.same(otherwise, [])
})

t.test('words are as nginx takes them', async t => {
  t.same(words('a b  c;'), [['a', 'b', 'c']])
  t.same(words(`log_format main '$remote_addr "$request"'\n  "it's";`), [
    ['log_format', 'main', '$remote_addr "$request"', "it's"],
  ])
  t.same(words('a "x\\"y" \'\\\'\' \\t\\q \\\\;'), [['a', 'x"y', "'", '\t\\q', '\\']])
  t.same(words(`set $x $\{y}z;`), [['set', '$x', `$\{y}z`]], 'the brace of a variable opens no block')
  t.same(words('if ($a ~ "b") { }'), [['if', '($a', '~', 'b', ')']])
  t.same(words('a b#c; # d e;\nf;'), [['a', 'b#c'], ['f']], 'a comment begins only where a word may')
  t.same(words('a "";'), [['a', '']])
  t.same(words('a "b\nc";'), [['a', 'b\nc']])
})

t.test('places and blocks', async t => {
  const text = '# first\nhttp {\n\tgzip on; # fast\n\tserver { listen 80; }\n}\n'
  const directives = all(parseConfig(text).directives)
  t.same(
    directives.map(({ name, line, start, end }) => [name, line, text.slice(start, end)]),
    [
      ['http', 2, text.slice(8, -1)],
      ['gzip', 3, 'gzip on;'],
      ['server', 4, 'server { listen 80; }'],
      ['listen', 4, 'listen 80;'],
    ],
  )
  t.equal(text.slice(directives[2]?.block?.start, directives[2]?.block?.end), ' listen 80; ')
})

t.test('what is broken is told with what stands before it', async t => {
  t.match(parseConfig('a b;\nhttp {\n  gzip on;\n'), {
    directives: [{ name: 'a' }, { name: 'http', block: { directives: [{ name: 'gzip' }] } }],
    error: { line: 4, message: 'unexpected end of file, expecting "}"' },
  })
  t.same(parseConfig('a;\n}').error, { line: 2, message: 'unexpected "}"' })
})

t.test('Lua is read by its own rules', async t => {
  const lua = `content_by_lua_block {
    if a == "}" then b = { '}\\'}' } end -- }
    --[[ } ]] c = [==[ } ]] ]==] d = t[1]
  }`
  const text = `location / { ${lua} gzip on; }`
  t.same(
    all(parseConfig(text).directives).map(({ name, start, end }) => [name, text.slice(start, end)]),
    [
      ['location', text],
      ['content_by_lua_block', lua],
      ['gzip', 'gzip on;'],
    ],
  )
  t.same(words('set_by_lua_block $x { return 1 } a;'), [['set_by_lua_block', '$x'], ['a']])
  for (const open of ['a_by_lua_block { "}', 'a_by_lua_block { [[ }', 'a_by_lua_block { -- }', 'a_by_lua_block { {}']) {
    t.match(parseConfig(open).error, { message: 'unexpected end of file in a Lua block' }, open)
  }
})

t.test('depth does not matter', async t => {
  const deep = 100_000
  t.equal(parseConfig(`${'a {'.repeat(deep)}${'}'.repeat(deep)}`).error, undefined)
  t.match(parseConfig('a {'.repeat(deep)).error, { message: 'unexpected end of file, expecting "}"' })
})

const token = fc.constantFrom(
  ...[
    'a',
    'gzip',
    'http',
    ' ',
    '\n',
    '\t',
    ';',
    '{',
    '}',
    '"',
    "'",
    '\\',
    '$',
    '${',
    '#',
    'é',
    '\u0000',
    'x_by_lua_block {',
    '[[',
    '--',
  ],
)
const soup = fc.oneof(
  fc.array(token, { maxLength: 60 }).map(tokens => tokens.join('')),
  fc.string({ unit: 'binary' }),
)

t.test('no text breaks it, and no byte is lost', async t => {
  fc.assert(fc.property(soup, checkPlaces), { numRuns: 3000 })
  t.pass()
})
