import { fileURLToPath } from 'node:url'
import type { JitiOptions } from 'jiti'
import { findUp } from './find-up.ts'

export type OwnNames = Pick<JitiOptions, 'alias' | 'virtualModules'>

// a longer name before a shorter one that it begins with
const ownNames = ['playbooks/t3-small', 'playbooks/t3-small-busy', 'playbooks/t3-medium', 'playbooks/size']
  .concat('modules', 'testing', 'package.json')
  .map(name => `sak-reconcile/${name}`)
  .concat('sak-reconcile')

/**
 * Where `sak-reconcile` and `zod` lead for files of a folder, unless the project has them installed. The command line, once it is built,
 * has cli/built-names.ts in place of this.
 */
export async function namesOf(folder: string): Promise<OwnNames> {
  const isInstalled = (name: string) => findUp(folder, [`node_modules/${name}/package.json`]) !== undefined
  const own = (name: string) => [name, fileURLToPath(import.meta.resolve(name))] as const
  return {
    alias: {
      ...(isInstalled('sak-reconcile') ? {} : Object.fromEntries(ownNames.map(own))),
      ...(isInstalled('zod') ? {} : Object.fromEntries([own('zod')])),
    },
  }
}
