/** Asks a PM2 daemon what runs. Never asks where none listens: `pm2 jlist` would start one. */
import { blocked, type Host, orUnreadable, SakError } from 'sak-reconcile'
import type { Params } from './params.ts'
import { type Pm2Process, parseJlist } from './parse.ts'
import type { Place } from './place.ts'
import type { Pm2 } from './undo.ts'

/** How to call the user's PM2. An empty LC_ALL takes back that of our own environment: an app shall have no locale from us. */
export function pm2Of({ pm2, pm2Home, path }: Place, user: string): Pm2 {
  return { pm2, user, env: { PATH: path, PM2_HOME: pm2Home, LC_ALL: '' } }
}

/** The processes of the user's daemon; none where there is no daemon. */
export async function readProcesses(host: Host, place: Place, user: string): Promise<readonly Pm2Process[]> {
  if (!place.daemon) return []
  if (place.daemonOwner !== undefined && place.daemonOwner !== user) throw foreignDaemon(place, user)
  return listProcesses(host, pm2Of(place, user))
}

async function listProcesses(host: Host, { pm2, user, env }: Pm2): Promise<readonly Pm2Process[]> {
  const { code, stdout, stderr } = await host.command([pm2, 'jlist'], { as: user, env })
  if (code === 0) return parseJlist(stdout)
  throw new SakError('read-failed', `${pm2} jlist, as ${user}: exit ${code}`, { said: stderr || stdout })
}

function foreignDaemon({ pm2Home, daemonOwner }: Place, user: string): SakError {
  return blocked(
    'refused',
    `the PM2 daemon in ${pm2Home} belongs to ${daemonOwner}, not to ${user}`,
    `end it as ${daemonOwner} (PM2_HOME=${pm2Home} pm2 kill) and give ${pm2Home} back to ${user}`,
  )
}

const rootsHome = '/root/.pm2'

/** `sudo pm2 start` gives the app to a daemon of root's own: ours would be a second copy of it, fighting for its port. */
export async function findCopies(host: Host, place: Place, { user, apps }: Params): Promise<readonly SakError[]> {
  if (user === 'root' || place.pm2Home === rootsHome || !place.listening.has(`${rootsHome}/rpc.sock`)) return []
  const { pm2, env } = pm2Of(place, user)
  const listed = await orUnreadable(listProcesses(host, { pm2, user: 'root', env: { ...env, PM2_HOME: rootsHome } }))
  if ('error' in listed) return []
  return apps.flatMap(({ name, cwd }) => {
    const copy = listed.find(process => process.name === name && process.env.pm_cwd === cwd)
    if (!copy) return []
    const hint = `sudo pm2 delete ${name} && sudo pm2 save --force, then run again; or set user to root`
    return [blocked('refused', `root's own PM2 runs ${name} in ${cwd} too, as after "sudo pm2 start"`, hint)]
  })
}
