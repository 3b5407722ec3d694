import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../loading/cache-folder.ts'
import { loadScript } from './script.ts'
import { flagsOfStart } from './v8.ts'

type Main = typeof import('./main.ts').main

const script = loadScript(fileURLToPath(new URL('../command-line.cjs', import.meta.url)), cacheFolder())

/** The command line as the build makes it of main.ts: one script, with the packages that it needs inside. */
export const main: Main = async argv => {
  const exitCode = await mainOf(script.exports)(argv)
  flagsOfStart()
  script.keep({ hasMore: isTranslatorLoaded() })
  return exitCode
}

/** Whether TypeScript was new to this run: what translates it is as large as all that is ours. */
const isTranslatorLoaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some(path => path.endsWith('/jiti/dist/babel.cjs'))

const hasMain = (exports: unknown): exports is { main: Main } =>
  typeof exports === 'object' && exports !== null && 'main' in exports && typeof exports.main === 'function'

function mainOf(exports: unknown): Main {
  if (!hasMain(exports)) throw new TypeError('command-line.cjs has no main')
  return exports.main
}
