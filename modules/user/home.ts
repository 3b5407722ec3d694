import {
  type DirectoryState,
  type FileRead,
  type FileState,
  type Host,
  makeDirectory,
  run,
  type Step,
} from 'sak-reconcile'
import { setting } from './foresee.ts'

/** A home as it is made. */
export function newHome(path: string, owner: string, group: string, loginDefs: string): DirectoryState {
  return { kind: 'directory', path, mode: homeMode(loginDefs), owner, group }
}

/** What a home begins with. */
export const readSkeleton = (host: Host): Promise<readonly FileRead[]> => host.files(['/etc/skel/*', '/etc/skel/.*'])

/** As useradd makes it: HOME_MODE of login.defs(5), or what its UMASK leaves. */
function homeMode(loginDefs: string): string {
  const stated = setting(loginDefs, 'HOME_MODE')
  const mode = stated ? Number.parseInt(stated, 8) : 0o777 & ~Number.parseInt(setting(loginDefs, 'UMASK') ?? '022', 8)
  return mode.toString(8).padStart(4, '0')
}

function copyOf({ path: from, content, mode = '0644', binary }: FileRead, home: DirectoryState): FileState {
  // cp makes them with the modes that they have, less what the umask of 022 takes
  const kept = (Number.parseInt(mode, 8) & 0o755).toString(8).padStart(4, '0')
  const path = home.path + from.slice('/etc/skel'.length)
  const { owner, group } = home
  return { kind: 'file', path, content, mode: kept, owner, group, ...(binary && { binary }) }
}

const empty = 'if [ -d "$1" ]; then find "$1" -mindepth 1 -delete; fi'

/** Makes the directory, and fills it by the account's own hands, which can do no harm elsewhere. */
export function makeHome(home: DirectoryState, skeleton: readonly FileRead[]): readonly Step[] {
  const { path, owner } = home
  return [
    makeDirectory(home),
    run(['sh', '-c', 'if [ -d /etc/skel ]; then cp -RPT /etc/skel "$1"; fi', 'sh', path], {
      title: `fill ${path} from /etc/skel`,
      as: owner,
      undo: [{ argv: ['sh', '-c', empty, 'sh', path], as: owner }],
      leaves: skeleton.map(file => copyOf(file, home)),
    }),
  ]
}
