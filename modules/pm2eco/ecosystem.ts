/** The ecosystem file: what PM2 starts the apps from. */
import { posix } from 'node:path'
import type { SakError } from 'sak-reconcile'
import {
  blocked,
  escapeSecrets,
  type FileRead,
  type FileState,
  file,
  type Host,
  orUnreadable,
  renderTemplate,
} from 'sak-reconcile'
import { isDefault } from './fields.ts'
import type { App, Params } from './params.ts'
import { header, isModulePackage, isOurs } from './parse.ts'

/** The file as it should be. It belongs to the user, who runs PM2 by hand too. */
export function desiredEcosystem({ path, mode, user, apps }: Params, group: string | undefined): FileState {
  return { ...file(path, renderEcosystem(path, apps), { mode, owner: user }), ...(group ? { group } : {}) }
}

export function renderEcosystem(path: string, apps: readonly App[]): string {
  const entries = apps.map(entry)
  // JSON has no comments; PM2 passes over a key that it does not know
  if (path.endsWith('.json')) return `${json({ '//': header, apps: entries })}\n`
  const ecosystem = json({ apps: entries }).replace(/^( *)"([A-Za-z_]\w*)":/gm, '$1$2:')
  return renderTemplate(new URL('./ecosystem.ejs', import.meta.url), { header, ecosystem })
}

const json = (value: unknown) => escapeSecrets(JSON.stringify(value, null, 2), 'json')

/** An app under PM2's names: what PM2 does anyway is left out. */
function entry({ env, ...app }: App): Readonly<Record<string, unknown>> {
  const said = Object.entries(app).filter(([key, value]) => value !== undefined && !isDefault(key, value))
  return { ...Object.fromEntries(said), env }
}

/** Whether the file is there and not from us. */
export function isByHand(saved: FileRead): boolean {
  return saved.content !== null && !isOurs(saved.content)
}

/** Why the file may not be replaced: somebody wrote it, and it says something else. */
export function refuseByHand(saved: FileRead, desired: FileState): SakError[] {
  if (!isByHand(saved) || saved.content === desired.content) return []
  const hint = 'take over into apps what the diff shows as lost, then set takeOver to true'
  return [blocked('refused', `${saved.path} was written by hand, and differs from apps`, hint)]
}

/** What an ecosystem file needs beside it, and lacks. Reads only what may be read: PM2 itself tells the rest. */
export async function findObstacles(host: Host, { path, apps }: Params): Promise<readonly SakError[]> {
  const [modules, ...missing] = await Promise.all([
    findModulePackage(host, path),
    ...apps.flatMap(app => [missingDirectory(host, app), missingScript(host, app)]),
  ])
  return [...modules, ...missing.flat()]
}

async function missingDirectory(host: Host, { name, cwd }: App): Promise<SakError[]> {
  const stat = await orUnreadable(host.stat(cwd))
  if (stat !== null && ('kind' in stat || stat.type === 'directory')) return []
  return [
    blocked(
      'no-such-path',
      `there is no directory ${cwd} for ${name} to run in`,
      'deploy the app first, or mend its cwd',
    ),
  ]
}

async function missingScript(host: Host, { name, cwd, script }: App): Promise<SakError[]> {
  if (!script.includes('/') && posix.extname(script) === '') return []
  const path = posix.resolve(cwd, script)
  if ((await orUnreadable(host.stat(path))) !== null) return []
  return [blocked('refused', `there is no script ${path} for ${name}`, 'deploy the app first, or mend its script')]
}

/** The nearest package.json decides how Node reads a `.js` file. */
async function findModulePackage(host: Host, path: string): Promise<SakError[]> {
  if (!path.endsWith('.js')) return []
  const files = await Promise.all(
    directoriesUpwards(path).map(each => orUnreadable(host.file(posix.join(each, 'package.json')))),
  )
  const nearest = files.find(each => 'path' in each && each.content !== null)
  if (!nearest || !('path' in nearest) || !isModulePackage(nearest.content ?? '')) return []
  return [
    blocked(
      'unsupported',
      `${nearest.path} has "type": "module", so PM2 cannot read ${path}`,
      `set path to ${path.replace(/\.js$/, '.cjs')}`,
    ),
  ]
}

function directoriesUpwards(path: string): string[] {
  const parent = posix.dirname(path)
  return parent === path ? [] : [parent, ...directoriesUpwards(parent)]
}
