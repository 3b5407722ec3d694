import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { SakError } from '../core/errors.ts'
import { screen } from './screen.ts'

/** Asks for something that must not be seen, on the terminal. */
export async function askSecret(prompt: string): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const resume = screen.hold()
  process.stderr.write(prompt)
  try {
    return await answer('', unseen)
  } finally {
    process.stderr.write('\n')
    resume()
  }
}

/** Asks yes or no; anything but y or yes is no. */
export async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await answer(`${question} [y/N] `, process.stderr)).trim())
}

/** A line from the terminal. Ctrl-C is the interrupt that it is elsewhere; Ctrl-D declines. */
function answer(prompt: string, output: Writable): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 })
  return new Promise((resolve, reject) => {
    lines.once('line', line => {
      resolve(line)
      lines.close()
    })
    lines.once('SIGINT', () => {
      lines.close()
      if (!process.emit('SIGINT', 'SIGINT')) process.exit(130)
    })
    lines.once('close', () => reject(new SakError('declined', 'nothing was applied'))) // changes nothing after an answer
    lines.setPrompt(prompt)
    lines.prompt()
  })
}
