import { read } from 'read'

/** Asks for something that must not be seen, on the terminal. */
export async function askSecret(prompt: string): Promise<string> {
  return read({ prompt, silent: true, output: process.stderr })
}

/** Asks yes or no; anything but y or yes is no. */
export async function confirm(question: string): Promise<boolean> {
  const answer = await read({ prompt: `${question} [y/N] `, output: process.stderr })
  return /^y(es)?$/i.test(answer.trim())
}
