import { blocked, type SakError } from 'sak-reconcile'
import { type Params, wantsEnabled } from './params.ts'
import { isUp, type Unit } from './parse.ts'

/** Why a unit cannot be kept as it should be, whatever is to be done. */
export function obstacles({ properties, hidden }: Unit, params: Params, directory: string): readonly SakError[] {
  const { name, state, restartedAfter, reloadedAfter, overrides } = params
  const { Id = name, LoadState, LoadError = '', FragmentPath = '', Type, RemainAfterExit } = properties
  const wantsUp = state === 'running'
  if (LoadState === 'not-found') {
    return state === 'running' || state === 'leave'
      ? [blocked('not-installed', `systemd has no ${name}`, 'a task before this one may install it, or write its file')]
      : []
  }
  if (LoadState === 'masked') return wantsUp && overrides === 'report' ? [isMasked(name)] : []
  if (LoadState !== 'loaded') {
    const why = /"(.*)"/.exec(LoadError)?.[1] ?? LoadError
    return [
      blocked('refused', `systemd does not take ${name} (${LoadState}): ${why}`, `systemd-analyze verify ${name}`),
    ]
  }
  const followsByReload = reloadedAfter.length > 0
  const cannot = (what: string, hint?: string) => blocked('refused', `${name} ${what}`, hint)
  const ends = Type === 'oneshot' && RemainAfterExit !== 'yes'
  return [
    ...(Id === name ? [] : [cannot(`is another name of ${Id}`, `take that: name: '${Id.replace(/\.service$/, '')}'`)]),
    ...(wantsUp && ends
      ? [cannot('ends once it has done its work: it cannot be kept running', "start it by a timer, or state: 'leave'")]
      : []),
    ...(wantsUp && properties.CanStart === 'no' ? [cannot('may not be started by hand (RefuseManualStart)')] : []),
    ...((state === 'stopped' || state === 'masked') && properties.CanStop === 'no'
      ? [cannot('may not be stopped by hand (RefuseManualStop)')]
      : []),
    ...(followsByReload && properties.CanReload === 'no'
      ? [cannot('cannot be reloaded: its unit has no ExecReload', 'put the files into restartedAfter')]
      : []),
    ...(state === 'masked' && FragmentPath === `${directory}/${name}`
      ? [
          cannot(
            `cannot be masked: its own file ${FragmentPath} lies where the mask would`,
            "state: 'stopped' disables it",
          ),
        ]
      : []),
    ...(hidden && isUp(properties) && (restartedAfter.length > 0 || followsByReload)
      ? [blocked('needs-root', "the kernel hides other users' processes", 'use --become')]
      : []),
    ...bootObstacles(properties.UnitFileState ?? '', params),
  ]
}

const isMasked = (name: string) =>
  blocked('override', `${name} is masked: nothing can start it`, "overrides: 'remove' unmasks it")

/** What cannot be told to start at boot, or not to, by hand: only an express wish for it is an error. */
function bootObstacles(found: string, params: Params): readonly SakError[] {
  const { name, state, enabled } = params
  const refused = (what: string, hint?: string) => [blocked('refused', `${name} ${what}`, hint)]
  if (wantsEnabled(params) === true && (found === 'transient' || found === 'linked' || found === 'linked-runtime')) {
    const hint = "enable it by the path of its file, or say enabled: 'leave'"
    return refused(`is ${found}: it does not come back after a reboot`, hint)
  }
  if (typeof enabled !== 'boolean' || state === 'masked') return []
  if (['static', 'indirect', 'generated'].includes(found)) {
    const hint = enabled ? 'leave out enabled, and keep what starts it' : "state: 'masked' keeps it from starting"
    return refused(`is ${found}: what starts it at boot is decided elsewhere`, hint)
  }
  return []
}
