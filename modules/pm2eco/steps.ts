/** The steps that bring apps to their desired state, each by the least disruptive action that really applies it. */
import { type Impact, renderTemplate, run, type Step } from 'sak-reconcile'
import type { AppState } from './app.ts'
import { reloadApplies } from './fields.ts'
import type { App, Params } from './params.ts'
import type { Pm2Process } from './parse.ts'
import { backTo, type Pm2 } from './undo.ts'

/** What has to be done to an app. */
export type Action = 'nothing' | 'start' | 'reload' | 'scale' | 'reload and scale' | 'recreate'

/** Chooses the action. What PM2 does with each kind of change was measured: see `fields`. */
export function chooseAction(before: AppState, after: AppState): Action {
  if (Object.keys(before).length === 0) return 'start'
  const differing = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    key => before[key] !== after[key],
  )
  if (differing.length === 0) return 'nothing'
  if (differing.some(key => !reloadApplies(key, after[key]))) return 'recreate'
  if (!differing.includes('instances')) return 'reload'
  return differing.length === 1 ? 'scale' : 'reload and scale'
}

/** An app, with what runs (or comes back at boot) under its name. */
export interface Planned {
  readonly app: App
  readonly before: AppState
  readonly after: AppState
  readonly processes: readonly Pm2Process[]
}

/** The steps for one app. */
export function stepsFor(pm2: Pm2, path: string, { app, before, after, processes }: Planned): readonly Step[] {
  const { name } = app
  const action = chooseAction(before, after)
  const undo = backTo(pm2, name, processes)
  const call = (argv: readonly string[], impact: Impact): Step =>
    run([pm2.pm2, ...argv], { as: pm2.user, env: pm2.env, impact, undo, timeout: '120s' })
  const up = before.status === 'online'
  const reload = call(['startOrReload', path, '--only', name], reloadImpact(action, up, app))
  const scale = call(['scale', name, String(after.instances)], up ? 'reload' : 'none')
  switch (action) {
    case 'nothing':
      return []
    case 'start':
    case 'reload':
      return [reload]
    case 'scale':
      return [scale]
    case 'reload and scale':
      // new processes are copies of a reloaded one, and what is to go is not reloaded before
      return Number(after.instances) > Number(before.instances) ? [reload, scale] : [scale, reload]
    case 'recreate':
      return [call(['delete', name], up ? 'restart' : 'none'), call(['startOrReload', path, '--only', name], 'none')]
  }
}

/** In cluster mode old processes serve until new ones listen; in fork mode PM2's reload is a restart. */
function reloadImpact(action: Action, up: boolean, app: App): Impact {
  if (action === 'start' || !up) return 'none'
  return app.exec_mode === 'cluster' ? 'reload' : 'restart'
}

/** Stops an app that is not listed. It stays in PM2's list, to be started again by hand. */
export function stopUnlisted(pm2: Pm2, name: string): Step {
  const start = { argv: [pm2.pm2, 'restart', name], as: pm2.user, env: pm2.env }
  return run([pm2.pm2, 'stop', name], { as: pm2.user, env: pm2.env, impact: 'restart', undo: [start] })
}

/** PM2 calls an app online at once, also one that dies three seconds later: so long at least it must stay up. */
const shortestUptime = 3000

/** Seconds for a busy host's PM2 to answer. */
const slack = 15

/**
 * Waits until the apps are online with all their instances for their min_uptime, and answer where they must. Not a `waitFor`,
 * which would go on waiting, with the app down, when PM2 has long given it up.
 */
export function waitUntilHealthy(pm2: Pm2, planned: readonly Planned[], health: Params['health']): Step {
  const apps = planned.map(({ app, after }) => {
    const uptime = Math.max(app.min_uptime ?? 0, shortestUptime)
    const { url, status } = health[app.name] ?? {}
    return { name: app.name, instances: after.instances, uptime, url, status }
  })
  const times = planned.map(({ app }) => {
    return Math.max(app.min_uptime ?? 0, shortestUptime) + (app.listen_timeout ?? 0) + (health[app.name]?.within ?? 0)
  })
  const within = Math.ceil(Math.max(...times) / 1000) + slack
  return run(['node', '-', 'wait-until-healthy', pm2.pm2, `${within}s`, JSON.stringify(apps)], {
    title: 'wait until the apps are up and stay up',
    as: pm2.user,
    env: pm2.env,
    stdin: renderTemplate(new URL('./healthy.ejs', import.meta.url), {}),
    undo: 'resumable',
    timeout: `${within + 30}s`,
  })
}
