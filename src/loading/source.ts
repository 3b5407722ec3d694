import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
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
  const { createJiti } = await import('jiti')
  const folder = isAbsolute(source) ? dirname(source) : cwd
  const options = { interopDefault: true, fsCache: false, moduleCache: true, alias: ownAliases(folder) }
  const jiti = createJiti(join(folder, 'sak.config.js'), options)
  try {
    return await jiti.import(source, what)
  } catch (error) {
    if (isSakError(error)) throw error
    // what follows the first line is where the loader looked
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\nRequire stack:')
    throw new SakError('usage', `${source} cannot be loaded: ${why}`, { cause: error })
  }
}

/** Where `sak-reconcile` and `zod` lead, unless the project has them installed. */
function ownAliases(folder: Cwd): Record<string, string> {
  const isInstalled = (name: string) => findUp(folder, [`node_modules/${name}/package.json`]) !== undefined
  const here = fileURLToPath(new URL('..', import.meta.url))
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const playbooks = ['t3-small', 't3-small-busy', 't3-medium', 'size'].map(
    name => [`sak-reconcile/playbooks/${name}`, join(here, `../playbooks/${name}.${extension}`)] as const,
  )
  const own = {
    'sak-reconcile/modules': join(here, `../modules/index.${extension}`),
    'sak-reconcile/testing': join(here, `testing.${extension}`),
    ...Object.fromEntries(playbooks),
    'sak-reconcile': join(here, `index.${extension}`),
  }
  return {
    ...(isInstalled('sak-reconcile') ? {} : own),
    ...(isInstalled('zod') ? {} : { zod: fileURLToPath(import.meta.resolve('zod')) }),
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
