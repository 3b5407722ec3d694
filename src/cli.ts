#!/usr/bin/env node
import { localInstall } from './cli/local-install.ts'
import { main } from './cli/main.ts'

// `sak-reconcile | head`: whoever reads the report may stop reading; what was begun goes on to its end and its exit code
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const local = localInstall(process.cwd())
if (local === undefined) process.exitCode = await main(process.argv.slice(2))
else await import(local)
