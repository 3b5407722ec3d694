import {
  daemonReload,
  enableLinger,
  type FileState,
  makeUnitDirectories,
  run,
  type Step,
  service,
  systemdCommand,
  waitFor,
  write,
} from 'sak-reconcile'
import type { Place } from './place.ts'

/** What of a timer is to be changed, and where it stands. */
export interface Work {
  readonly name: string
  readonly place: Place
  /** Directories that must be made first. */
  readonly missing: readonly string[]
  /** Whether the systemd that runs it is up. */
  readonly hasSystemd: boolean
  readonly files: readonly FileState[]
  readonly enable: boolean
  readonly linger: boolean
  /** Whether anything that systemd has in memory, or the timer itself, is to be changed. */
  readonly activate: boolean
}

/** The units written, tried, loaded; the timer enabled, and started anew: it keeps its next time until then. */
export function bringUp({ name, place, missing, hasSystemd, files, enable, linger, activate }: Work): Step[] {
  const { owner } = place
  const whose = owner ? { user: owner.user } : {}
  const timer = `${name}.timer`
  return [
    ...(missing.length > 0 && owner ? [makeUnitDirectories(missing, owner.user)] : []),
    ...files.map(file => write(file)),
    ...(owner ? wakeSystemd(owner, { linger, hasSystemd }) : []),
    ...(files.length > 0 ? [verify(place, name)] : []),
    ...(activate ? [daemonReload(whose)] : []),
    ...(enable ? [service(timer, 'enable', whose)] : []),
    // nobody waits for a timer, and a run that is under way goes on
    ...(activate ? [{ ...service(timer, 'restart', whose), impact: 'none' as const }] : []),
  ]
}

/** What of a timer that should be gone is still there. */
export type Remains = Pick<Work, 'name' | 'place' | 'files' | 'activate'> & {
  readonly active: boolean
  readonly enabled: boolean
  readonly failed: boolean
}

/** The timer stopped and every trace of it removed. */
export function takeDown({ name, place, files, activate, active, enabled, failed }: Remains): Step[] {
  const whose = place.owner ? { user: place.owner.user } : {}
  const timer = `${name}.timer`
  const reset = systemdCommand(place, 'systemctl', ['reset-failed', `${name}.service`])
  return [
    ...(active ? [{ ...service(timer, 'stop', whose), impact: 'none' as const }] : []),
    ...(enabled ? [service(timer, 'disable', whose)] : []),
    ...files.map(file => write(file)),
    ...(activate ? [daemonReload(whose)] : []),
    ...(failed ? [run(reset.argv, { ...(reset.as && { as: reset.as }), undo: 'resumable' })] : []),
  ]
}

/** A user's systemd: started at boot from now on, and there now. */
function wakeSystemd(
  { user, uid }: NonNullable<Place['owner']>,
  { linger, hasSystemd }: Pick<Work, 'linger' | 'hasSystemd'>,
): Step[] {
  return [
    ...(linger ? [enableLinger(user)] : []),
    ...(!linger && !hasSystemd ? [service(`user@${uid}.service`, 'start')] : []),
    ...(hasSystemd
      ? []
      : [waitFor(['test', '-S', `/run/user/${uid}/systemd/private`], { title: `wait for the systemd of ${user}` })]),
  ]
}

/** systemd passes over what it does not know with a mere warning: for our files that is a failure. */
function verify(place: Place, name: string): Step {
  const paths = ['timer', 'service'].map(suffix => `${place.directory}/${name}.${suffix}`)
  const { argv, as } = systemdCommand(place, 'systemd-analyze', ['verify', ...paths])
  return run(argv, {
    ...(as && { as }),
    title: 'check the units (systemd-analyze verify)',
    undo: 'resumable',
    refuse: `(^|/)${name}\\.(timer|service):`,
  })
}
