import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { matchesAny, shellGlob } from '../../src/core/glob.ts'
import { quote } from '../../src/core/quote.ts'

t.test('globs match as sh expands them', async t => {
  t.ok(matchesAny('/etc/logrotate.d/nginx', ['/etc/logrotate.d/*']))
  t.notOk(matchesAny('/etc/logrotate.d/a/b', ['/etc/logrotate.d/*']), 'a directory is not crossed')
  t.notOk(matchesAny('/etc/logrotate.d/.x', ['/etc/logrotate.d/*']), 'dotfiles are asked for by name')
  t.ok(matchesAny('/etc/logrotate.d/.x', ['/etc/logrotate.d/.[!.]*']))
  t.notOk(matchesAny('/d/a', ['/d/[!a]']))
  t.ok(matchesAny('/d/b', ['/d/[!a]']))
  t.notOk(matchesAny('/d/a', ['/d/{a,b}']), 'sh is dash: no braces')
  t.ok(matchesAny('/d/{a}', ['/d/{a}']))
  t.notOk(matchesAny('/d/a', ['/d/a|b', '/d/(a)', '/d/[z-a]']))
  t.ok(matchesAny('/d/7', ['/d/[[:digit:]]']))
  t.notOk(matchesAny('/d/x', []))
})

t.test('nothing in a glob is run by the shell that expands it', async t => {
  const folder = t.testdir({})
  for (const glob of [
    '[$(touch evil)]',
    '[`touch evil`]*',
    '$(touch evil)*',
    "[']*'; touch evil; '",
    '[a;touch evil]',
  ]) {
    execFileSync('dash', ['-c', `for f in ${shellGlob(glob)}; do :; done`], { cwd: folder, stdio: 'pipe' })
  }
  t.same(readdirSync(folder), [])
})

const special = [
  '*',
  '?',
  '[',
  ']',
  '!',
  '-',
  '\\',
  '.',
  '|',
  '(',
  ')',
  '{',
  '}',
  ',',
  '^',
  '$',
  '`',
  "'",
  '"',
  ' ',
  '+',
]
const unit = fc.constantFrom('a', 'b', 'c', '1', 'A', '/', '*', '*', '?', '[', '[a', ']', ...special)
const name = fc
  .string({ unit: fc.constantFrom('a', 'b', 'c', '1', 'A', ...special), minLength: 1, maxLength: 4 })
  .filter(text => !/^\.\.?$/.test(text))
const glob = fc
  .string({ unit, minLength: 1, maxLength: 7 })
  .filter(text => !/\/\/|^\/|\/$|^\.\.?(\/|$)|\/\.\.?(\/|$)/.test(text))

for (const shell of ['dash', 'bash']) {
  t.test(`4,000 random globs find the same files as in ${shell}`, async t => {
    const folder = t.testdir({ a: {}, '.b': {} })
    const names = [...new Set(fc.sample(name, 500))]
    for (const file of names.filter(each => each !== 'a' && each !== '.b')) writeFileSync(join(folder, file), '')
    for (const file of names.slice(0, 100)) writeFileSync(join(folder, 'a', file), '')
    for (const file of names.slice(100, 200)) writeFileSync(join(folder, '.b', file), '')
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    // to sh a glob stands for itself where it matches nothing: which files there are is more than matchesAny knows
    const globs = fc.sample(glob, 4000).filter(each => !paths.includes(each))
    const script = globs.map(
      each => `for f in ${shellGlob(each)}; do [ ! -e "./$f" ] || printf '%s\\0' "$f"; done; printf '\\0'\n`,
    )
    const input = `export LC_ALL=C.UTF-8\ncd ${quote(folder)}\n${script.join('')}`
    const found = execFileSync(shell, { input, maxBuffer: 1 << 28 })
      .toString()
      .split('\0')
    const different = globs.filter(each => {
      const end = found.indexOf('')
      const there = found.splice(0, end + 1).slice(0, -1)
      const ours = paths.filter(path => matchesAny(`/${path}`, [`/${each}`]))
      return (
        there
          .filter(path => paths.includes(path))
          .sort()
          .join('\0') !== ours.sort().join('\0')
      )
    })
    t.same(different, [])
  })
}
