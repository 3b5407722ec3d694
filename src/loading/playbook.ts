import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isSakError, SakError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { isPlaybook, isPlaybookFactory, type Playbook, type PlaybookFactory } from '../core/playbook.ts'
import { type Cwd, importDefault } from './source.ts'

/** The playbooks that come with the package. */
const builtIn: Readonly<Record<string, () => Promise<{ default: PlaybookFactory }>>> = {
  't3-small': () => import('sak-reconcile/playbooks/t3-small'),
  't3-small-busy': () => import('sak-reconcile/playbooks/t3-small-busy'),
  't3-medium': () => import('sak-reconcile/playbooks/t3-medium'),
}

export const builtInPlaybooks = Object.keys(builtIn)

const howToName = `name a playbook's file (./web.ts), an installed package's export, or one of: ${builtInPlaybooks.join(', ')}`

/** Loads a playbook: a built-in name, a file, or an installed package's export. Throws SakError `usage`. */
export async function loadPlaybook(name: string, cwd: Cwd): Promise<Playbook | PlaybookFactory> {
  const own = builtIn[name]
  if (own) return (await own()).default
  const path = resolve(cwd, name)
  if (existsSync(path)) return asPlaybook(await importDefault(path, cwd), name)
  if (name.startsWith('.') || name.startsWith('/') || /\.[cm]?[jt]s$/.test(name)) {
    throw new SakError('usage', `there is no file ${path}`, {
      hint: howToName,
    })
  }
  return asPlaybook(await importPackage(name, cwd), name)
}

async function importPackage(name: string, cwd: Cwd): Promise<unknown> {
  try {
    return await importDefault(name, cwd)
  } catch (error) {
    if (!isSakError(error) || !error.message.includes(`Cannot find module '${name}'`)) throw error
    throw new SakError('usage', `there is no playbook "${name}"`, {
      hint: didYouMean(name, builtInPlaybooks) ?? howToName,
      cause: error,
    })
  }
}

/** A value as a playbook. Throws SakError `invalid-playbook`. */
export function asPlaybook(value: unknown, name: string): Playbook | PlaybookFactory {
  if (isPlaybook(value) || isPlaybookFactory(value)) return value
  throw new SakError('invalid-playbook', `${name} has no playbook as its default export`, {
    hint: 'export default definePlaybook({ ... }), or export default t3Small({ ... })',
  })
}
