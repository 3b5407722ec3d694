/** The daemon that carries entries out: cron of Debian, or cronie. */
import { blocked, type Host, parseUnits, type SakError, type Step, service, type UnitProperties } from 'sak-reconcile'

const units = ['cron.service', 'crond.service', 'cronie.service'] as const

/** A unit of systemd in one word: `active`, say. */
type State = Readonly<Record<string, string>>
interface Layer {
  readonly current: State
  readonly desired: State
}

export async function readDaemon(host: Host): Promise<UnitProperties | undefined> {
  const shown = await host.command(['systemctl', 'show', ...units, '-p', 'Id,LoadState,ActiveState,UnitFileState'])
  if (shown.code !== 0) {
    throw blocked('unsupported', 'systemd cannot be asked about cron', 'cron must be a unit of systemd')
  }
  return parseUnits(shown.stdout).find(({ LoadState }) => LoadState === 'loaded' || LoadState === 'masked')
}

const none: Layer = { current: {}, desired: {} }

/** What the daemon is, and must be for an entry to run; what stands in the way. */
export function judgeDaemon(unit: UnitProperties | undefined): {
  running: Layer
  boot: Layer
  blocked: readonly SakError[]
} {
  if (unit === undefined) {
    return {
      running: none,
      boot: none,
      blocked: [
        blocked('not-installed', 'there is no cron daemon', "packages({ name: 'cron' }) before this task installs it"),
      ],
    }
  }
  const { Id = '', LoadState, ActiveState = '', UnitFileState = '' } = unit
  // a unit that is static or generated starts by another's will
  const wanted = ['disabled', 'enabled-runtime', 'masked', ''].includes(UnitFileState) ? 'enabled' : UnitFileState
  return {
    running: { current: { [Id]: ActiveState }, desired: { [Id]: 'active' } },
    boot: { current: { [Id]: UnitFileState }, desired: { [Id]: wanted } },
    blocked:
      LoadState === 'masked'
        ? [blocked('override', `${Id} is masked: nothing runs the entries`, `systemctl unmask ${Id}`)]
        : [],
  }
}

export function daemonSteps(running: State = {}, boot: State = {}): Step[] {
  return [
    ...Object.keys(boot).map(unit => service(unit, 'enable')),
    ...Object.keys(running).map(unit => service(unit, 'start')),
  ]
}
