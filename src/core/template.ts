import { readFileSync } from 'node:fs'
import ejs from 'ejs'

const compiled = new Map<string, ejs.TemplateFunction>()

/**
 * Renders an ejs template that lies beside its module: `renderTemplate(new URL('./site.ejs', import.meta.url), data)`.
 * Nothing is escaped (these are configuration files, not HTML): quote in the data what the file's syntax wants quoted.
 */
export function renderTemplate(template: URL, data: Readonly<Record<string, unknown>>): string {
  const known = compiled.get(template.href)
  const render = known ?? ejs.compile(readFileSync(template, 'utf8'), { escape: String, filename: template.pathname })
  if (!known) compiled.set(template.href, render)
  return render({ ...data })
}
