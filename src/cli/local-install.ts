import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import { findUp } from '../loading/source.ts'

const Package = z.object({ name: z.literal('sak-reconcile'), bin: z.object({ 'sak-reconcile': z.string() }) })

/**
 * The command line of the project's own install, where a folder has one and it is another copy than this: a project's
 * playbooks are run by the version that they were written for.
 */
export function localInstall(cwd: string): string | undefined {
  const path = findUp(cwd, ['node_modules/sak-reconcile/package.json'])
  if (path === undefined || isHere(dirname(path))) return undefined
  const found = Package.safeParse(JSON.parse(readFileSync(path, 'utf8')))
  return found.success ? pathToFileURL(join(dirname(path), found.data.bin['sak-reconcile'])).href : undefined
}

function isHere(folder: string): boolean {
  return realpathSync(fileURLToPath(import.meta.url)).startsWith(join(realpathSync(folder), '/'))
}
