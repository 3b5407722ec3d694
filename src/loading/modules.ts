import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { SakError } from '../core/errors.ts'
import { isModule, type Module } from '../core/module.ts'
import { didYouMean } from '../core/nearest.ts'
import { isPlaybook, isPlaybookFactory, type Playbook } from '../core/playbook.ts'
import { builtInPlaybooks, loadPlaybook } from './playbook.ts'
import { type Cwd, importAll } from './source.ts'

/** What the package exports of modules. */
export const ownModules = () => import('sak-reconcile/modules')

/** The modules that come with the package, by name. */
export async function builtInModules(): Promise<ReadonlyMap<string, Module>> {
  return new Map(exportedModules(await ownModules()).map(module => [module.moduleName, module]))
}

/** The playbooks that come with the package, with their defaults. */
export async function builtInPlaybook(name: string): Promise<Playbook> {
  return made(await loadPlaybook(name, '.'))
}

/**
 * The modules and playbooks that a name stands for: a built-in one, or all that a file or an installed package exports.
 * `also` are names that the caller knows, for the hint. Throws SakError `usage`.
 */
export async function loadNamed(
  name: string,
  cwd: Cwd,
  also: readonly string[] = [],
): Promise<readonly (Module | Playbook)[]> {
  const builtIn = await builtInModules()
  const own = builtIn.get(name)
  if (own) return [own]
  if (builtInPlaybooks.includes(name)) return [await builtInPlaybook(name)]
  const path = resolve(cwd, name)
  const isFile = existsSync(path)
  if (!isFile && /^[\w-]+$/.test(name)) {
    const known = [...also, ...builtInPlaybooks, ...builtIn.keys()]
    throw new SakError('usage', `there is no module or playbook "${name}"`, {
      hint: didYouMean(name, known) ?? `there are: ${known.join(', ')}`,
    })
  }
  const exported = await importAll(isFile ? path : name, cwd)
  const found = [...exportedModules(exported), ...exportedPlaybooks(exported)]
  if (found.length > 0) return found
  const hint = 'export const motd = defineModule({ ... }), or export default definePlaybook({ ... })'
  throw new SakError('usage', `${name} exports no module and no playbook`, { hint })
}

const valuesOf = (exported: unknown): unknown[] =>
  typeof exported === 'object' && exported !== null ? [...new Set<unknown>(Object.values(exported))] : []
const exportedModules = (exported: unknown): Module[] => valuesOf(exported).filter(isModule)
const exportedPlaybooks = (exported: unknown): Playbook[] =>
  valuesOf(exported)
    .filter(value => isPlaybook(value) || isPlaybookFactory(value))
    .map(made)
const made = (playbook: Awaited<ReturnType<typeof loadPlaybook>>): Playbook =>
  isPlaybookFactory(playbook) ? playbook() : playbook
