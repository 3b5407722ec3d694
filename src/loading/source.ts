import { dirname, isAbsolute, join } from 'node:path'
import type { Jiti } from 'jiti'
import { isSakError, SakError } from '../core/errors.ts'
import { cacheFolder } from './cache-folder.ts'
import { namesOf } from './own-names.ts'

/** The folder that a command was called in, and where files are sought from. */
export type Cwd = string

/**
 * The default export of a file (TypeScript too) or of an installed package. Where the project has no local install of this
 * package, its `import 'sak-reconcile'` finds this copy, and `import 'zod'` the one that this copy uses.
 */
export async function importDefault(source: string, cwd: Cwd): Promise<unknown> {
  return importSource(source, cwd, { default: true })
}

/** All that a file or an installed package exports, by name. */
export async function importAll(source: string, cwd: Cwd): Promise<unknown> {
  return importSource(source, cwd, {})
}

async function importSource(source: string, cwd: Cwd, what: { default?: true }): Promise<unknown> {
  const jiti = await loaderFor(isAbsolute(source) ? dirname(source) : cwd)
  try {
    return await jiti.import(source, what)
  } catch (error) {
    if (isSakError(error)) throw error
    // what follows the first line is where the loader looked
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\nRequire stack:')
    throw new SakError('usage', `${source} cannot be loaded: ${why}`, { cause: error })
  }
}

/** What loads TypeScript, for files of a folder. */
export async function loaderFor(folder: Cwd): Promise<Jiti> {
  const { createJiti } = await import('jiti')
  // where there is a place for it: to translate TypeScript takes longer than all else that comes before a run
  const fsCache = cacheFolder() ?? false
  const options = { interopDefault: true, fsCache, moduleCache: true, ...(await namesOf(folder)) }
  return createJiti(join(folder, 'sak.config.js'), options)
}
