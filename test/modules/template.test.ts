import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { template } from '../../modules/template/module.ts'
import { render } from '../../modules/template/render.ts'
import { isSakError } from '../../src/index.ts'
import { fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/template', import.meta.url)), template)
  t.ok(cases.length >= 6)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

const message = (params: unknown) => {
  try {
    template.parse(params)
  } catch (error) {
    if (isSakError(error) && error.code === 'invalid-params') return error.message
    throw error
  }
  return undefined
}
const path = '/etc/x'

t.test('mistakes are told with their line before any host is touched', async t => {
  const mistakes: [string, RegExp][] = [
    ['a\nb <%= port %>\n', /template:2: port is not defined/],
    ['a\n<% if (x { %>\nb\n', /template:2: Unexpected token/],
    ['a\n\n<%= 1 + %>', /template:3: Unexpected token/],
    ['a\n<% if (true) { %>\nb\n', /template:\d: a "\{" is never closed/],
    ['a\nb <%= name \n', /template:2: "<%" without "%>"/],
    ['<%= name %>\n<%= o.x %>', /template:2: undefined would stand there/],
    ['\n<%- o.none %>', /template:2: null would stand there/],
    ['<%= o %>', /template:1: an object has no text/],
    ['<%= [1, 2] %>', /template:1: a list has no text/],
    ['<%= 0 / 0 %>', /template:1: NaN would stand there/],
    ['<%- include("x") %>', /needs a template that is a file/],
  ]
  for (const [text, said] of mistakes) {
    t.match(message({ path, template: text, vars: { name: 'n', o: { none: null } } }), said, text)
  }
})

t.test('params', async t => {
  t.match(message({ path }), /expected one of source and template/)
  t.match(message({ path, template: '', source: '/x' }), /expected one of source and template/)
  t.match(message({ path, template: '', vars: { 'no-name': 1 } }), /vars/)
  t.match(message({ path, template: '', vars: { x: undefined } }), /vars\.x/)
  t.match(message({ path, template: '', vars: { x: () => 1 } }), /vars\.x/)
  t.match(message({ path, source: '/no/such.ejs' }), /source: there is no file/)
})

t.test('a template that is a file, and those that it includes', async t => {
  const folder = t.testdir({
    'main.ejs': 'a\n<%- include("./part.ejs", { x: 1 }) %>b\n',
    'part.ejs': 'x <%= x %>\n',
    'broken.ejs': '\n<%- include("./worse.ejs") %>',
    'worse.ejs': '\n\n<%= y %>',
  })
  const { desired } = await template({ path, source: pathToFileURL(join(folder, 'main.ejs')) }).assess(fakeHost({}))
  t.match(desired, { saved: { content: 'a\nx 1\nb\n' } })
  t.match(message({ path, source: join(folder, 'broken.ejs') }), /worse\.ejs:3: y is not defined/)
})

t.test('text without tags comes out as it is, and so do values', async t => {
  const text = fc.string({ unit: 'binary' }).filter(value => !value.includes('<%') && !value.includes('%>'))
  fc.assert(
    fc.property(text, fc.string(), (around, value) => render(`${around}<%= v %>`, { v: value }) === around + value),
  )
  t.equal(render('<%= a %> <%- b %> <%% <%= c %>', { a: '<&"\'>', b: '<&>', c: 1 }), '<&"\'> <&> <% 1')
})
