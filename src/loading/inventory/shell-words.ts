/**
 * Splits a line as Python's `shlex.split(line, comments=True)` does: quotes, backslashes, and `#` for the rest of the line,
 * also in the middle of a word. Gives undefined for an open quote or a lone backslash at the end.
 */
export function splitShellWords(line: string): string[] | undefined {
  const words: string[] = []
  let word = ''
  let hasWord = false
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i)
    if (quote !== '') {
      if (char === quote) quote = ''
      else if (char === '\\' && quote === '"') {
        const next = line.charAt(++i)
        if (next === '') return undefined
        word += next === '"' || next === '\\' ? next : char + next
      } else word += char
    } else if (char === '#') break
    else if (char === '"' || char === "'") {
      quote = char
      hasWord = true
    } else if (char === '\\') {
      const next = line.charAt(++i)
      if (next === '') return undefined
      word += next
      hasWord = true
    } else if (/[ \t\r\n]/.test(char)) {
      if (hasWord) words.push(word)
      word = ''
      hasWord = false
    } else {
      word += char
      hasWord = true
    }
  }
  if (quote !== '') return undefined
  return hasWord ? [...words, word] : words
}
