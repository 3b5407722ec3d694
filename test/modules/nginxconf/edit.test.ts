import fc from 'fast-check'
import t from 'tap'
import { level, mainConfig, type Node, readConfig, walk } from '../../../modules/nginxconf/config.ts'
import {
  appendTo,
  applyEdits,
  type Edit,
  insertBefore,
  replaceArgs,
  takeAway,
} from '../../../modules/nginxconf/edit.ts'
import { fakeHost } from '../../../src/testing.ts'

async function nodes(content: string): Promise<Node[]> {
  const { top } = await readConfig(fakeHost({ files: { [mainConfig]: content } }), '/ours.conf')
  return [...walk(top)]
}

async function after(content: string, edit: (find: (name: string) => Node) => Edit | Edit[]): Promise<string> {
  const found = await nodes(content)
  const [file] = applyEdits([edit(name => required(found, name))].flat())
  return file?.content ?? content
}

function required(found: readonly Node[], name: string): Node {
  const node = found.find(each => each.name === name)
  if (!node) throw new Error(`no ${name}`)
  return node
}

t.test('arguments are replaced where they stand', async t => {
  t.equal(
    await after('http {\n\tgzip  off ; # why\n}', find => replaceArgs(find('gzip'), 'on')),
    'http {\n\tgzip  on ; # why\n}',
  )
  t.equal(await after('a "b;" c;', find => replaceArgs(find('a'), 'd')), 'a d;')
  t.equal(await after('a;', find => replaceArgs(find('a'), 'd')), 'a d;')
})

t.test('a directive is put before another', async t => {
  t.equal(await after('x {\n  a; # c\n}', find => insertBefore(find('a'), 'b;')), 'x {\n  b;\n  a; # c\n}')
  t.equal(await after('x { a; }', find => insertBefore(find('a'), 'b;')), 'x { b; a; }')
})

t.test('a directive is put at the end of a block', async t => {
  t.equal(await after('x {\n\ta;\n}\n', find => appendTo(find('x'), 'b;')), 'x {\n\ta;\n\tb;\n}\n')
  t.equal(
    await after('  x {\n    a;\n  # c\n  }', find => appendTo(find('x'), 'b;')),
    '  x {\n    a;\n  # c\n    b;\n  }',
  )
  t.equal(await after('x { a; }', find => appendTo(find('x'), 'b;')), 'x { a; b; }')
  t.equal(await after('x {}', find => appendTo(find('x'), 'b;')), 'x { b; }')
  t.equal(
    await after('x {\n}', find => [appendTo(find('x'), 'b;'), appendTo(find('x'), 'c;')]),
    'x {\n    b;\n    c;\n}',
    'in order',
  )
})

t.test('a directive is taken away with its line', async t => {
  t.equal(await after('x {\n  a;  \n  b;\n}', find => takeAway(find('a'))), 'x {\n  b;\n}')
  t.equal(await after('x { a; b; }', find => takeAway(find('a'))), 'x { b; }')
  t.equal(await after('x {\n  a; # c\n}', find => takeAway(find('a'))), 'x {\n  # c\n}')
})

t.test('several edits of a file, an equal one counted once', async t => {
  t.equal(
    await after('a 1; b 2; c 3;', find => [
      replaceArgs(find('c'), '33'),
      replaceArgs(find('a'), '11'),
      insertBefore(find('b'), 'x;'),
      insertBefore(find('b'), 'x;'),
    ]),
    'a 11; x; b 2; c 33;',
  )
})

t.test('a file that is not UTF-8 is not edited', async t => {
  const [node] = await nodes('a 1;')
  if (!node) throw new Error('no node')
  const file = { ...node.file, binary: true as const }
  t.throws(() => applyEdits([{ file, start: 0, end: 0, text: 'x' }]), { code: 'unsupported' })
})

t.test('every other byte stays', async t => {
  const blank = fc.constantFrom(' ', '\n', '\t', '\r\n', '  # c;{}\n', '\n\n')
  const directive = fc.tuple(blank, fc.constantFrom('a', 'b', 'c'), blank, fc.constantFrom('1', '"2 3"', "'x;y'"))
  await fc.assert(
    fc.asyncProperty(fc.array(directive, { minLength: 1, maxLength: 8 }), fc.nat(), async (parts, pick) => {
      const texts = parts.map(([before, name, between, arg]) => `${before}${name}${between}${arg};`)
      const found = await nodes(texts.join(''))
      const index = pick % parts.length
      const node = found[index]
      const part = parts[index]
      if (!node || !part) throw new Error('a directive is lost')
      const [file] = applyEdits([replaceArgs(node, 'new')])
      texts[index] = `${part[0]}${part[1]}${part[2]}new;`
      if (file?.content !== texts.join('')) throw new Error(`edited to ${file?.content}`)
    }),
  )
  t.pass()
})

t.test('edits leave a configuration that reads as meant', async t => {
  const content = 'http {\n  include a.conf;\n  gzip on;\n}\n'
  const [file] = applyEdits([
    appendTo(required(await nodes(`${content}`.replace('include a.conf;', 'x;')), 'http'), 'y;'),
  ])
  const [http] = await nodes(file?.content ?? '')
  t.same(
    [...level(http?.children ?? [])].map(node => node.name),
    ['x', 'gzip', 'y'],
  )
})
