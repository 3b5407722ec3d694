import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Jiti } from 'jiti'
import { isSakError, SakError } from '../core/errors.ts'

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
  const options = { interopDefault: true, fsCache: cacheFolder(), moduleCache: true, alias: ownAliases(folder) }
  return createJiti(join(folder, 'sak.config.js'), options)
}

/**
 * Where this user's TypeScript is kept as JavaScript, by its content: to translate it takes longer than all else that comes before
 * a run. False where there is no such place.
 */
function cacheFolder(): string | false {
  const { XDG_CACHE_HOME: base } = process.env
  try {
    const folder = join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'sak-reconcile')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch {
    return false
  }
}

// a longer name before a shorter one that it begins with
const ownNames = ['modules', 'testing', 'package.json'].map(name => `sak-reconcile/${name}`).concat('sak-reconcile')

/** Where `sak-reconcile` and `zod` lead, unless the project has them installed. */
function ownAliases(folder: Cwd): Record<string, string> {
  const isInstalled = (name: string) => findUp(folder, [`node_modules/${name}/package.json`]) !== undefined
  const own = (name: string) => [name, fileURLToPath(import.meta.resolve(name))] as const
  const playbooks = ['t3-small', 't3-small-busy', 't3-medium', 'size'].map(name => `sak-reconcile/playbooks/${name}`)
  return {
    ...(isInstalled('sak-reconcile') ? {} : Object.fromEntries([...playbooks, ...ownNames].map(own))),
    ...(isInstalled('zod') ? {} : Object.fromEntries([own('zod')])),
  }
}

/** The first of the names that a folder or one above it has. */
export function findUp(cwd: Cwd, names: readonly string[]): string | undefined {
  let folder = resolve(cwd)
  while (true) {
    const found = names.map(name => join(folder, name)).find(path => existsSync(path))
    if (found) return found
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
}
