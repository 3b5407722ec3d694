import pc from 'picocolors'
import { codeOf } from '../core/code.ts'
import type { Reference } from '../core/reference.ts'

export interface PageOptions {
  readonly color: boolean
  /** Columns of the terminal. */
  readonly width: number
}

type Colors = ReturnType<typeof pc.createColors>

/** A list of what there is: name and one sentence. */
export function referenceList(items: readonly { name: string; description: string }[], options: PageOptions): string {
  const colors = pc.createColors(options.color)
  const wide = Math.max(...items.map(({ name }) => name.length))
  const lines = items.flatMap(({ name, description }) => {
    const [first = '', ...rest] = wrap(description, options.width - wide - 4)
    return [`  ${colors.bold(name.padEnd(wide))}  ${first}`, ...rest.map(line => `${' '.repeat(wide + 4)}${line}`)]
  })
  return `${lines.join('\n')}\n`
}

/** A page on a module or playbook: an example, its params, what it looks at, owns and may do. */
export function referencePage(reference: Reference, { color, width }: PageOptions): string {
  const colors = pc.createColors(color)
  const { name, description, example, params, keys, owns, impact } = reference
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', colors.bold(title), ...lines.map(line => `  ${line}`)]
  const lines = [
    ...wrap(description, width),
    ...(example === undefined ? [] : ['', ...example.split('\n').map(line => `  ${colors.cyan(line)}`)]),
    ...section(
      'Params',
      params.flatMap(param => paramLines(param, width - 2, colors)),
    ),
    ...section('Looks at', keyLines(keys, width - 2, colors)),
    ...section('Owns', owns),
    ...(impact === undefined ? [] : section('Greatest impact', [impact])),
  ]
  return `${colors.bold(name)}\n${lines.join('\n')}\n`
}

function paramLines(param: Reference['params'][number], width: number, colors: Colors): string[] {
  const depth = param.path.split('.').length - 1
  const indent = '  '.repeat(depth)
  const standard = 'default' in param ? ` = ${codeOf(param.default)}` : ''
  const needed = param.required ? colors.yellow(' required') : ''
  const isLong = param.path.length + param.type.length + standard.length > width - indent.length
  const head = `${indent}${colors.cyan(param.path)}  ${param.type}${isLong ? '' : colors.dim(standard)}${needed}`
  const below = wrap(`${param.description ?? ''}${isLong ? ` (default${standard})` : ''}`, width - indent.length - 4)
  return [head, ...below.map(line => `${indent}    ${line}`)]
}

function keyLines(keys: Reference['keys'], width: number, colors: Colors): string[] {
  const wide = Math.max(0, ...keys.map(({ key }) => key.length))
  return keys.flatMap(({ key, holds }) => {
    const [first = '', ...rest] = wrap(holds, width - wide - 2)
    return [`${colors.cyan(key.padEnd(wide))}  ${first}`, ...rest.map(line => `${' '.repeat(wide + 2)}${line}`)]
  })
}

/** Text in lines no longer than a width; a longer word keeps its line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > Math.max(20, width)) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
