import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { type BlockEdit, editBlock, editLine, type LineEdit } from '../../modules/line/edit.ts'
import { join, split } from '../../modules/line/lines.ts'
import { line } from '../../modules/line/module.ts'
import { definePlaybook, isSakError } from '../../src/index.ts'
import { fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/line', import.meta.url)), line)
  t.ok(cases.length >= 30)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

const contentOf = (edited: ReturnType<typeof editLine>) => ('content' in edited ? edited.content : edited)
const edit = (content: string, wanted: Partial<LineEdit>) =>
  contentOf(editLine(content, { absent: false, duplicates: 'refuse', at: 'end', ...wanted }))
const block = (content: string, wanted: Partial<BlockEdit>) =>
  contentOf(editBlock(content, { begin: '<', end: '>', duplicates: 'refuse', at: 'end', ...wanted }))

t.test('a line', async t => {
  t.equal(edit('', { line: 'a' }), 'a\n')
  t.equal(edit('x', { line: 'a' }), 'x\na\n', 'a last line that was not ended is ended')
  t.equal(edit('x\r\ny', { line: 'a' }), 'x\r\ny\r\na\r\n')
  t.equal(edit('x\ny\n', { line: 'a', at: 'start' }), 'a\nx\ny\n')
  t.equal(edit('x1\nx2\ny', { line: 'a', after: /^x/ }), 'x1\nx2\na\ny')
  t.equal(edit('y\nx1\nx2', { line: 'a', before: /^x/ }), 'y\na\nx1\nx2')
  t.match(edit('y\n', { line: 'a', after: /^x/ }), { refused: /no line matches \/\^x\// })
  t.equal(edit('x\n#a 1\r\ny', { line: 'a 2', match: /^#?a\b/ }), 'x\na 2\r\ny', 'a line keeps its end')
  t.match(edit('a 1\na 2\n', { line: 'a 3', match: /^a/ }), { refused: /lines 1, 2 match/ })
  t.match(edit('a 3\na 2\n', { line: 'a 3', match: /^a/ }), { refused: /lines 1, 2/ }, 'the other is in force too')
  t.equal(edit('a\na\n', { line: 'a' }), 'a\na\n', 'twice the same does no harm')
  t.equal(edit('a 1\nx\na 2', { line: 'a 3', match: /^a/, duplicates: 'merge' }), 'a 3\nx\n')
  t.equal(edit('a\nx\na', { line: 'a', duplicates: 'merge' }), 'a\nx\n')
  t.equal(edit('x\na\n#a\ny', { line: 'a', match: /^#a/, absent: true }), 'x\ny')
  t.equal(edit('old\n', { line: 'new', match: /^old$/ }), 'new\n', 'a line that does not match the pattern itself')
})

t.test('a block', async t => {
  t.equal(block('x', { block: ['a', 'b'] }), 'x\n<\na\nb\n>\n')
  t.equal(block('x\r\n<\r\nold\r\n>', { block: ['a'] }), 'x\r\n<\r\na\r\n>')
  t.equal(block('<\n>\n', { block: [] }), '<\n>\n')
  t.equal(block('x\n<\na\n>\ny', {}), 'x\ny')
  t.equal(block('x\n', {}), 'x\n')
  t.match(block('<\na\n', { block: [] }), { refused: /line 1 has no ">"/ })
  t.match(block('a\n>\n', { block: [] }), { refused: /line 2 has no "<"/ })
  t.match(block('<\n<\n>\n', {}), { refused: /line 1 has no ">"/ }, 'nor is anything taken out of it')
  t.match(block('<\n>\n<\n>\n', { block: ['a'] }), { refused: /stands there 2 times, at lines 1, 3/ })
  t.equal(block('<\n>\nx\n<\n>\ny', { block: ['a'], duplicates: 'merge' }), '<\na\n>\nx\ny')
  t.equal(block('<\n>\nx\n<\n>\ny', {}), 'x\ny')
})

const text = fc
  .array(fc.constantFrom('a', 'ab', '#a', 'x', '', '<', '>', '\r', 'é', '\u0000', '\n', '\r\n', '\n', '\r\n'))
  .map(parts => parts.join(''))
  .filter(content => !content.endsWith('\r')) // with a line end put after it, it becomes part of that
const where = fc.constantFrom<Partial<LineEdit>>({}, { at: 'start' }, { after: /x/ }, { before: /x/ })
const rules = fc.constantFrom<Partial<LineEdit>>(
  {},
  { match: /^#?a/ },
  { match: /a/, duplicates: 'merge' },
  { duplicates: 'merge' },
)

t.test('laws of a line: it stands there, once more changes nothing, every other line keeps its bytes', async t => {
  fc.assert(
    fc.property(text, where, rules, (content, place, rule) => {
      const wanted = { line: 'ab', ...place, ...rule }
      const once = edit(content, wanted)
      if (typeof once !== 'string') return true
      const isOurs = (each: string) => each === 'ab' || rule.match?.test(each) === true
      const others = (whole: string) => split(whole).filter(each => !isOurs(each.text))
      const before = others(content)
      const kept = others(once).every(({ text, end }, index) => {
        const was = before[index]
        return text === was?.text && (end === was.end || was.end === '')
      })
      const stands = split(once).some(each => each.text === 'ab')
      return stands && kept && others(once).length === before.length && edit(once, wanted) === once
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

t.test('laws of a block: taken out again it leaves what was there', async t => {
  fc.assert(
    fc.property(text, where, (content, place) => {
      const wanted = { block: ['in', ''], ...place }
      const once = block(content, wanted)
      if (typeof once !== 'string') return true
      if (block(once, wanted) !== once) return false
      const had = split(content).some(each => each.text === '<')
      const without = block(once, {})
      return had || without === content || without === `${content}\n` || without === `${content}\r\n`
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

t.test('taking apart and putting together keeps every byte', async t => {
  fc.assert(fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), content => join(split(content)) === content))
  t.pass()
})

const message = (params: object) => {
  try {
    line.parse({ path: '/etc/x', ...params })
  } catch (error) {
    if (isSakError(error) && error.code === 'invalid-params') return error.message
    throw error
  }
  return undefined
}

t.test('params', async t => {
  t.match(message({}), /expected line or block/)
  t.match(message({ absent: true }), /expected line, match or name/)
  t.match(message({ line: 'a\nb' }), /expected one line/)
  t.match(message({ line: 'a', block: 'b' }), /a line or a block/)
  t.match(message({ line: 'a', match: '(' }), /match: Invalid regular expression/)
  t.match(message({ line: 'a', after: 'x', before: 'y' }), /one of after and before/)
  t.match(message({ block: 'a\n# END web', name: 'web' }), /block: holds a marking line/)
  t.match(message({ block: 'a', absent: true }), /told by its name/)
  t.equal(message({ match: /x/gi, absent: true }), undefined)
})

t.test('lines of one file have an owner each', async t => {
  const path = '/etc/hosts'
  const tasksOf = (...params: Parameters<typeof line>[0][]) =>
    definePlaybook({
      name: 'p',
      tasks: () => params.map((each, index) => line(each, { label: `line ${index}` })),
    })().tasksFor({ name: 'h', groups: [], vars: {} })
  t.equal(
    tasksOf({ path, line: 'a' }, { path, line: 'b' }, { path, block: 'c' }, { path, block: 'd', name: 'd' }).length,
    4,
  )
  t.throws(() => tasksOf({ path, line: 'a' }, { path, line: 'a' }), {
    message: /both own the line "a" of \/etc\/hosts/,
  })
  t.throws(() => tasksOf({ path, line: 'a', match: '^k' }, { path, line: 'b', match: /^k/ }), {
    message: /both own what matches/,
  })
})

t.test('the step is bound to what was read', async t => {
  const files = { '/etc': { type: 'directory', mode: '0755' }, '/etc/x': 'a\n' } as const
  const { steps } = await line({ path: '/etc/x', line: 'b' }).assess(fakeHost({ files }))
  t.match(steps, [{ content: 'a\nb\n', madeFrom: 'a\n' }])
})
