/** A stream that may be a terminal. */
export interface Terminal {
  write(text: string): unknown
}

/** A terminal's last line, which is redrawn, and all else, which is written above it. */
export interface Screen {
  /** Shows a line in place of the one before; an empty one takes it away. */
  draw(line: string): void
  /** Writes whole lines, to a stream that may show on the same terminal. */
  print(stream: Terminal, text: string): void
  /** Takes the line away while somebody is asked something, and answers what brings it back. */
  hold(): () => void
}

const erase = '\r\u001b[K'

/** A screen whose line is drawn on a terminal. */
export function screenOn(terminal: Terminal): Screen {
  let line = ''
  let held = 0
  const show = () => {
    if (line !== '' && held === 0) terminal.write(`\r${line}\u001b[K`)
  }
  const hide = () => {
    if (line !== '' && held === 0) terminal.write(erase)
  }
  return {
    draw: next => {
      if (next === line) return
      if (next === '') hide()
      line = next
      show()
    },
    print: (stream, text) => {
      hide()
      stream.write(text)
      show()
    },
    hold: () => {
      hide()
      held += 1
      return () => {
        held -= 1
        show()
      }
    },
  }
}

/** The screen of this process: its line is on stderr. */
export const screen = screenOn(process.stderr)
