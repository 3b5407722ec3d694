import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The first of the names that a folder or one above it has. */
export function findUp(cwd: string, names: readonly string[]): string | undefined {
  let folder = resolve(cwd)
  while (true) {
    const found = names.map(name => join(folder, name)).find(path => existsSync(path))
    if (found) return found
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
}
