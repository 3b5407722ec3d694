import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

// not import.meta.resolve: tsx has none where it runs a project without "type": "module"
const packageJson = createRequire(import.meta.url).resolve('sak-reconcile/package.json')

/** Where this copy of the package is. */
export const packageFolder = dirname(packageJson)

/** The version of this copy of the package. */
export function version(): string {
  const found: unknown = JSON.parse(readFileSync(packageJson, 'utf8'))
  if (typeof found === 'object' && found !== null && 'version' in found && typeof found.version === 'string') {
    return found.version
  }
  throw new TypeError(`${packageJson} has no version`)
}
