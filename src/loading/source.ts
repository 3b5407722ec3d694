import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isSakError, SakError } from '../core/errors.ts'

/** The folder that a command was called in, and where files are sought from. */
export type Cwd = string

/**
 * The default export of a file (TypeScript too) or of an installed package. Where the project has no local install of this
 * package, its `import 'sak-reconcile'` finds this copy.
 */
export async function importDefault(source: string, cwd: Cwd): Promise<unknown> {
  const { createJiti } = await import('jiti')
  const from = join(cwd, 'sak.config.js')
  const jiti = createJiti(from, { interopDefault: true, fsCache: false, moduleCache: true, alias: ownAliases(cwd) })
  try {
    return await jiti.import(source, { default: true })
  } catch (error) {
    if (isSakError(error)) throw error
    throw new SakError(
      'usage',
      `${source} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** Where `sak-reconcile` leads, unless the project has it installed. */
function ownAliases(cwd: Cwd): Record<string, string> {
  if (findUp(cwd, ['node_modules/sak-reconcile/package.json'])) return {}
  const here = fileURLToPath(new URL('..', import.meta.url))
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return {
    'sak-reconcile/modules': join(here, `../modules/index.${extension}`),
    'sak-reconcile/testing': join(here, `testing.${extension}`),
    'sak-reconcile/playbooks/t3-small': join(here, `../playbooks/t3-small.${extension}`),
    'sak-reconcile': join(here, `index.${extension}`),
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
