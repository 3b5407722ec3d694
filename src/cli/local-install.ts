import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findUp } from '../loading/find-up.ts'
import { packageFolder } from '../version.ts'

/**
 * The command line of the project's own install, where a folder has one and it is another copy than this: a project's
 * playbooks are run by the version that they were written for.
 */
export function localInstall(cwd: string): string | undefined {
  const path = findUp(cwd, ['node_modules/sak-reconcile/package.json'])
  if (path === undefined || realpathSync(dirname(path)) === realpathSync(packageFolder)) return undefined
  const command = commandOf(JSON.parse(readFileSync(path, 'utf8')))
  return command === undefined ? undefined : pathToFileURL(join(dirname(path), command)).href
}

/** What its package.json says; read without zod, which takes longer to load than a command line needs to hand over. */
function commandOf(description: unknown): string | undefined {
  if (typeof description !== 'object' || description === null || !('bin' in description)) return undefined
  const { bin } = description
  if (typeof bin !== 'object' || bin === null || !('sak-reconcile' in bin)) return undefined
  const command = bin['sak-reconcile']
  return typeof command === 'string' ? command : undefined
}
