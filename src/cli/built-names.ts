import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as zod from 'zod'
import { findUp } from '../loading/find-up.ts'
import type { OwnNames } from '../loading/own-names.ts'
import { packageFolder } from '../version.ts'

/**
 * What `sak-reconcile` and `zod` are to files of a folder where the command line is one script: what it has inside, unless the project
 * has others installed. To load the same code once more, from the files that libraries import, would cost most of what a start does.
 */
export async function namesOf(folder: string): Promise<OwnNames> {
  const isOurs = isOursIn(folder, 'sak-reconcile', manifest => dirname(manifest) === realpathSync(packageFolder))
  const isOurZod = isOursIn(folder, 'zod', manifest => versionIn(manifest) === versionInside)
  return {
    alias: isOurs ? Object.fromEntries(rarelyUsed.map(name => [name, filesOf.resolve(name)])) : {},
    virtualModules: whenAsked({ ...(isOurs ? inside : {}), ...(isOurZod ? { zod: () => zod } : {}) }),
  }
}

// require, which the build takes for what is inside as it does import, answers at once: what no file imports is not run
const inside = {
  'sak-reconcile': () => require('sak-reconcile'),
  'sak-reconcile/modules': () => require('sak-reconcile/modules'),
  'sak-reconcile/playbooks/t3-small': () => require('sak-reconcile/playbooks/t3-small'),
  'sak-reconcile/playbooks/t3-small-busy': () => require('sak-reconcile/playbooks/t3-small-busy'),
  'sak-reconcile/playbooks/t3-medium': () => require('sak-reconcile/playbooks/t3-medium'),
  'sak-reconcile/playbooks/size': () => require('sak-reconcile/playbooks/size'),
}

const whenAsked = (modules: Readonly<Record<string, () => unknown>>): Record<string, unknown> =>
  Object.defineProperties({}, Object.fromEntries(Object.entries(modules).map(([name, get]) => [name, { get }])))

const filesOf = createRequire(import.meta.url)
const rarelyUsed = ['sak-reconcile/testing', 'sak-reconcile/package.json']

/** Whether a project has no package of that name, or the one that is inside. */
function isOursIn(folder: string, name: string, isInside: (manifest: string) => boolean): boolean {
  const found = findUp(folder, [`node_modules/${name}/package.json`])
  return found === undefined || isInside(realpathSync(found))
}

const { major, minor, patch } = zod.core.version
const versionInside = `${major}.${minor}.${patch}`

function versionIn(manifest: string): string | undefined {
  const found: unknown = JSON.parse(readFileSync(manifest, 'utf8'))
  return zod.object({ version: zod.string() }).safeParse(found).data?.version
}
