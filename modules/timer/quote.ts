/** The words of unit files, as systemd.syntax(7) and systemd.service(5) read them. */

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\r': '\\r' }

/** A text as one word, with specifiers (`%n`) kept from being expanded. */
export function quoteWord(text: string): string {
  const literal = text.replaceAll('%', '%%')
  if (/^[\w%@+:,./=-]+$/.test(literal)) return literal
  return `"${literal.replaceAll(/[\\"\p{Cc}]/gu, escaped)}"`
}

function escaped(character: string): string {
  const hex = [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  return escapes[character] ?? hex
}

/** An argv as `ExecStart` holds it: variables (`$HOME`) are kept from being expanded too. */
export function commandLine([program = '', ...args]: readonly string[]): string {
  return [quoteWord(program), ...args.map(arg => quoteWord(arg).replaceAll('$', '$$$$'))].join(' ')
}
