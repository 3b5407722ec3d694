/** A line of a text, and the characters that end it: none at the end of a text without a final newline. */
export interface Line {
  readonly text: string
  readonly end: '\n' | '\r\n' | ''
}

/** Takes a text apart; `join` puts it together byte for byte. */
export function split(content: string): readonly Line[] {
  return content.split(/(?<=\n)/).flatMap((piece): Line[] => {
    if (piece === '') return []
    const end = piece.endsWith('\r\n') ? '\r\n' : piece.endsWith('\n') ? '\n' : ''
    return [{ text: piece.slice(0, piece.length - end.length), end }]
  })
}

export const join = (lines: readonly Line[]): string => lines.map(({ text, end }) => text + end).join('')

/** Puts lines before the one at the index, ended as the lines of the file are. A last line that was not ended is ended first. */
export function insert(lines: readonly Line[], index: number, texts: readonly string[]): readonly Line[] {
  const end = endOf(lines)
  const before = lines.slice(0, index).map(line => (line.end === '' ? { ...line, end } : line))
  return [...before, ...texts.map(text => ({ text, end })), ...lines.slice(index)]
}

/** How the lines of a file end: as the first. */
export const endOf = (lines: readonly Line[]): '\n' | '\r\n' => (lines[0]?.end === '\r\n' ? '\r\n' : '\n')
