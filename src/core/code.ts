/** A value as one would write it in TypeScript, in lines no longer than a width where that can be. Plain data only. */
export function codeOf(value: unknown, width = 120, indent = ''): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const inner = `${indent}  `
  const list = Array.isArray(value)
  const parts = (at: string): string[] =>
    list
      ? value.map((item: unknown) => codeOf(item, width, at))
      : Object.entries(value).flatMap(([name, item]) =>
          item === undefined ? [] : [`${nameOf(name)}: ${codeOf(item, width, at)}`],
        )
  const short = parts(inner)
  if (short.length === 0) return list ? '[]' : '{}'
  const line = list ? `[${short.join(', ')}]` : `{ ${short.join(', ')} }`
  if (!line.includes('\n') && indent.length + line.length <= width) return line
  const [open, close] = list ? '[]' : '{}'
  return `${open}\n${short.map(part => `${inner}${part},\n`).join('')}${indent}${close}`
}

const nameOf = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : quoted(name))

/** In single quotes, unless it has one and no double quote. */
function quoted(text: string): string {
  const double = JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  if (text.includes("'") && !text.includes('"')) return double
  return `'${double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
