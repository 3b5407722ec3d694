/**
 * The offset of the `}` that ends a Lua block begun before `from`, or -1: nginx's Lua module reads these blocks by Lua's
 * rules, so that braces in Lua's strings and comments do not count.
 */
export function skipLua(text: string, from: number): number {
  let depth = 1
  for (let at = from; at < text.length; ) {
    const char = text[at]
    if (char === '{') depth += 1
    if (char === '}') depth -= 1
    if (depth === 0) return at
    at = nextToken(text, at)
  }
  return -1
}

/** After the string, comment or character at an offset. */
function nextToken(text: string, at: number): number {
  const char = text[at]
  if (char === '"' || char === "'") return endOfString(text, at, char)
  if (char === '[') return endOfLong(text, at) ?? at + 1
  if (!text.startsWith('--', at)) return at + 1
  const long = text[at + 2] === '[' ? endOfLong(text, at + 2) : undefined
  if (long !== undefined) return long
  const newline = text.indexOf('\n', at)
  return newline === -1 ? text.length : newline
}

function endOfString(text: string, start: number, quote: string): number {
  let at = start + 1
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** After a long string or comment `[[...]]`, `[==[...]==]`; undefined if none begins there. */
function endOfLong(text: string, at: number): number | undefined {
  const opening = /^\[(=*)\[/.exec(text.slice(at, at + 64))
  if (!opening) return undefined
  const end = text.indexOf(`]${opening[1]}]`, at)
  return end === -1 ? text.length : end + opening[0].length
}
