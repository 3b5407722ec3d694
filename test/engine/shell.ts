import { spawn } from 'node:child_process'
import type { Connection } from '../../src/core/connection.ts'

/** Journals and locks of one test file alone: others apply on this machine at the same time. */
export const state = `/tmp/sak-test-state-${process.pid}`

/** A script whose journals and locks are in a folder, root's or not. */
export const keptIn = (folder: string, script: string): string =>
  script
    .replaceAll('/var/lib/sak-reconcile', folder)
    .replaceAll(/\$\{HOME:-\/nonexistent\}\/\.local\/state\/sak-reconcile/g, folder)

/** A connection whose journals and locks are in a folder. */
export const keepingIn = (folder: string, connection: Connection): Connection => ({
  ...connection,
  run: (script, options) => connection.run(keptIn(folder, script), options),
  hold: (script, options) => connection.hold(keptIn(folder, script), options),
})

/** A connection that runs scripts by a shell of this machine, with noise around the answers as login shells make it. */
export function shellConnection(argv: readonly string[] = ['dash'], noise = ''): Connection {
  const [program = 'dash', ...args] = argv
  return {
    run: script =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
        const stdout: Buffer[] = [Buffer.from(noise)]
        const stderr: Buffer[] = []
        child.stdout.on('data', chunk => stdout.push(chunk))
        child.stderr.on('data', chunk => stderr.push(chunk))
        child.on('error', reject)
        child.on('close', (code, signal) => {
          resolve({
            code,
            signal,
            stdout: Buffer.concat([...stdout, Buffer.from(noise)]),
            stderr: Buffer.concat(stderr),
          })
        })
        child.stdin.end(script.replaceAll('/var/lib/sak-reconcile', state))
      }),
    hold: () => Promise.reject(new Error('not held in this test')),
    close: async () => {},
  }
}

/** The shells that a host may have as `sh`, of those on this machine. */
export const shells = [['dash'], ['bash'], ['bash', '--posix']] as const
