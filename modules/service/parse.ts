import { blocked, type CommandResult, parseUnits, type Systemd, type UnitProperties } from 'sak-reconcile'

/** A unit as systemd and the kernel know it. Times in seconds since 1970. */
export interface Unit {
  readonly properties: UnitProperties
  /** The host's clock. */
  readonly now: number
  /** When what runs was started: what it reads it read after that. Undefined where nothing tells. */
  readonly since: number | undefined
  /** When it was last reloaded, if it was since its start and took it. */
  readonly reloaded: number | undefined
  /** Whether the kernel hides the main process from us. */
  readonly hidden: boolean
}

/** Clock ticks a second, as the kernel tells them to programs. */
const ticks = 100

/** What `observe` printed. */
export function parseUnit({ code, stdout, stderr }: CommandResult, { owner }: Systemd): Unit {
  if (code !== 0) {
    const line = stderr.trim().split('\n')[0] ?? ''
    if (owner && /connect to bus/i.test(line)) {
      const hint = `loginctl enable-linger ${owner.user} has it started, now and at boot`
      throw blocked('refused', `the systemd of ${owner.user} does not run`, hint)
    }
    throw blocked('unsupported', `systemd cannot be asked: ${line}`, 'the host must run systemd')
  }
  const [said = {}] = parseUnits(stdout)
  // systemd calls it so whether the link in /run is made at each boot anew, or by hand for this one
  const isGenerated = said.UnitFileState === 'enabled-runtime' && said.generated === 'yes'
  const properties = isGenerated ? { ...said, UnitFileState: 'generated' } : said
  const { now = '', main } = properties
  const running = timesOf(properties)
  const setBack = clockSetBack(properties)
  return {
    properties,
    now: Number(now),
    since: running.since === undefined ? undefined : running.since - setBack,
    reloaded: running.reloaded === undefined ? undefined : running.reloaded - setBack,
    hidden: main === 'hidden',
  }
}

/** Of these types the main process is what was started; others may have read their files before there was one. */
const immediate = ['simple', 'exec', 'notify', 'notify-reload', 'dbus', 'idle']

function timesOf(properties: UnitProperties): Pick<Unit, 'since' | 'reloaded'> {
  const {
    Type = '',
    SubState,
    InactiveExitTimestamp,
    ExecMainStartTimestamp,
    ReloadResult,
    ExecReload = '',
  } = properties
  const began = seconds(InactiveExitTimestamp)
  const since = (immediate.includes(Type) ? seconds(ExecMainStartTimestamp) : undefined) ?? began
  const [active, changed] = [seconds(properties.ActiveEnterTimestamp), seconds(properties.StateChangeTimestamp)]
  // an active unit that changes its state without a new start was reloaded, or its process has ended
  const isReload = changed !== undefined && active !== undefined && changed > active
  if (!isReload || ReloadResult !== 'success' || (SubState === 'exited' && Type !== 'oneshot'))
    return { since, reloaded: undefined }
  // the beginning of the reload, where systemd still knows it
  const begin = seconds(/start_time=\[([^\]]*)\]/.exec(ExecReload)?.[1])
  return { since, reloaded: begin === undefined ? changed : Math.min(begin, changed) }
}

/** `Wed 2026-11-25 16:04:42.480956 UTC`, with or without a fraction. */
function seconds(text = ''): number | undefined {
  const [, day, time, fraction = '0'] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))? UTC$/.exec(text) ?? []
  return day === undefined ? undefined : Date.parse(`${day}T${time}Z`) / 1000 + Number(`0.${fraction}`)
}

/**
 * How many seconds the clock was set back since the start: by the kernel's count of ticks the main process started before systemd,
 * by the clock, began to start it. Files that changed meanwhile would look older than they are. 0 where no process tells.
 */
function clockSetBack({ now = '', self = '', main = '', InactiveExitTimestamp }: UnitProperties): number {
  const started = Number(now) - (Number(self) - Number(main)) / ticks
  const began = seconds(InactiveExitTimestamp)
  if (main === '' || !Number.isFinite(started) || began === undefined) return 0
  // two seconds: leap seconds, and what counting costs
  return began - started > 2 ? began - started : 0
}

/** What its state is called in reports. */
export const running = 'running'
export const stopped = 'stopped'

/** Whether nothing of a unit runs, nor is about to. */
export const isDown = ({ ActiveState = '' }: UnitProperties): boolean =>
  ['inactive', 'failed', ''].includes(ActiveState)
export const isUp = ({ ActiveState = '' }: UnitProperties): boolean => ['active', 'reloading'].includes(ActiveState)

/** Whether it dies and is started again, over and over: what came up by itself must stay up for this long (seconds) to count. */
const settled = 10
export function isLooping({ properties, now, since }: Unit): boolean {
  if (properties.SubState === 'auto-restart') return true
  return isUp(properties) && Number(properties.NRestarts) > 0 && since !== undefined && now - since < settled
}

/** What it does, in words. */
export function stateOf(unit: Unit): string {
  const { ActiveState = '', Result } = unit.properties
  // without a count: the same drift must look the same at each check
  if (isLooping(unit)) return 'dies and is started again'
  if (isUp(unit.properties)) return running
  if (ActiveState === 'failed') return `failed (${Result})`
  return { activating: 'starting', deactivating: 'stopping' }[ActiveState] ?? stopped
}
