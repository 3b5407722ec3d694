import { spawn } from 'node:child_process'
import { type ConfigOf, messageJson, type Send } from './message.ts'

/** Bytes of what a program says that are told where it fails. */
const mostSaid = 500

/** Runs a program with the message on its stdin. */
export function command({ argv: [program = '', ...args] }: ConfigOf<'command'>): Send {
  return (message, signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], signal, killSignal: 'SIGKILL' })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => {
        if (said.length < mostSaid) said += chunk.toString('utf8').slice(0, mostSaid)
      })
      child.once('error', reject)
      child.once('close', (code, killed) => {
        if (code === 0) resolve()
        else reject(new Error(`${program} ended with ${code ?? killed}${said.trim() && `: ${said.trim()}`}`))
      })
      child.stdin.on('error', () => {}) // it need not read what it is given
      child.stdin.end(messageJson(message))
    })
}
