#!/usr/bin/env node
import { localInstall } from './cli/local-install.ts'
import { optimizeLater } from './cli/v8.ts'
import { version } from './version.ts'

optimizeLater()

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
