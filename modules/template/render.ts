import { Script } from 'node:vm'
import ejs from 'ejs'

/**
 * Renders an ejs template. Nothing is escaped, and nothing that has no text comes out as one: undefined, null, NaN, lists and
 * objects are mistakes.
 * @param source the file of the template; templates without one can include no other
 * @throws Error that names the file and the line
 */
export function render(template: string, vars: Readonly<Record<string, unknown>>, source?: string): string {
  const name = source ?? 'template'
  // with no HTML to escape for, the two tags are one: so `<%-` is held to the same rule
  const text = template.replaceAll('<%-', '<%=')
  const options = { filename: name, escape: textOf, ...(source === undefined && { includer: refuseInclude }) }
  try {
    const compiled = ejs.compile(text, options)
    return compiled({ ...vars })
  } catch (error) {
    throw new Error(describe(error, text, name))
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (Array.isArray(value)) throw new Error('a list has no text: join it, as in list.join(" ")')
  if (typeof value === 'object' && value !== null) throw new Error('an object has no text: name one of its fields')
  throw new Error(`${String(value)} would stand there`)
}

function refuseInclude(path: string): never {
  throw new Error(`include("${path}") needs a template that is a file`)
}

function describe(error: unknown, text: string, name: string): string {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof SyntaxError) {
    const [what = ''] = message.split(/ in .* while compiling ejs|\n/)
    // what ejs puts around the template begins where a block of the template should have ended
    const said = what.includes("'catch'") ? 'a "{" is never closed' : what
    return `${name}:${syntaxErrorLine(text, name)}: ${said}`
  }
  if (message.startsWith('Could not find matching close tag')) return `${name}:${unclosedLine(text)}: "<%" without "%>"`
  return placed(message) ?? `${name}: ${message}`
}

/**
 * ejs puts "FILE:LINE", the lines around it, and a blank line before what was thrown; once more for each template that
 * includes another. The innermost is the place.
 */
function placed(message: string): string | undefined {
  const [, place, what = ''] = /^(.+:\d+)\n(?: (?:>>| {2}) *\d+\|.*\n)*\n([\s\S]*)$/.exec(message) ?? []
  return place === undefined ? undefined : (placed(what) ?? `${place}: ${what}`)
}

/** ejs does not tell: in the program that it makes, the last line number that is noted before the fault. */
function syntaxErrorLine(text: string, name: string): number {
  const program = new ejs.Template(text, { filename: name })
  // missing in the types of ejs
  if ('generateSource' in program && typeof program.generateSource === 'function') program.generateSource()
  const lines = program.source.split('\n')
  const at = faultyLine(`(function () {${program.source}})`)
  const noted = lines.slice(0, at).findLast(line => /__line = \d+/.test(line))
  return Number(/__line = (\d+)/.exec(noted ?? '')?.[1] ?? 1)
}

function faultyLine(source: string): number {
  try {
    new Script(source, { filename: 'template' })
    return Number.POSITIVE_INFINITY
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? '') : ''
    return Number(/^template:(\d+)/.exec(stack)?.[1] ?? 1)
  }
}

function unclosedLine(text: string): number {
  const opened = [...text.matchAll(/<%(?!%)/g)].map(({ index }) => index)
  const unclosed = opened.find((at, index) => !text.slice(at, opened[index + 1] ?? text.length).includes('%>'))
  return text.slice(0, unclosed).split('\n').length
}
