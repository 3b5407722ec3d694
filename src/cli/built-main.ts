import { createRequire } from 'node:module'

/** The command line as the build makes it of main.ts: one script, with the packages that it needs inside. */
export const { main }: typeof import('./main.ts') = createRequire(import.meta.url)('./command-line.cjs')
