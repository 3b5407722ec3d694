import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { renderTemplate } from '../../src/core/template.ts'

t.test('a template is configuration, not HTML: nothing is escaped', async t => {
  const folder = t.testdir({ 'a.ejs': '<% for (const [k, v] of settings) { -%>\n<%= k %> = <%= v %>\n<% } -%>\n' })
  const template = pathToFileURL(join(folder, 'a.ejs'))
  const settings = [['a', `<'"&\`>`]]
  t.equal(renderTemplate(template, { settings }), `a = <'"&\`>\n`)
  t.equal(renderTemplate(template, { settings: [] }), '', 'compiled once, rendered as often as wanted')
})

t.test('a mistake in a template names the file', async t => {
  const folder = t.testdir({})
  await writeFile(join(folder, 'b.ejs'), '<%= missing %>')
  t.throws(() => renderTemplate(pathToFileURL(join(folder, 'b.ejs')), {}), /b\.ejs[\s\S]*missing is not defined/)
})
