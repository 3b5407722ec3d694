#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { localInstall } from './cli/local-install.ts'
import { version } from './version.ts'

// V8 begins to optimize a function after 66 kB of its bytecode. In a run over fifty hosts that took a fifth of all CPU, on every
// core, and gave nothing back; from some two hundred hosts on it is worth its price, and there this limit is reached too.
setFlagsFromString('--interrupt-budget=1000000')

// `sak-reconcile | head`: whoever reads the report may stop reading; what was begun goes on to its end and its exit code
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const argv = process.argv.slice(2)
const local = localInstall(process.cwd())
if (local !== undefined) await import(local)
else if (argv.length === 1 && ['-V', '--version'].includes(argv[0] ?? '')) console.log(version())
else {
  const { main } = await import('./cli/main.ts')
  process.exitCode = await main(argv)
}
