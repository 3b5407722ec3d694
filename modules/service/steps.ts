import {
  type Command,
  daemonReload,
  durationMs,
  enableLinger,
  run,
  type Step,
  type Systemd,
  service,
  systemdCommand,
} from 'sak-reconcile'
import type { Params } from './params.ts'
import { keep, type Moment, note, recordPath, steady } from './scripts.ts'

/** What is to be done to a unit. */
export interface Work {
  readonly systemd: Systemd
  readonly action: 'start' | 'restart' | 'reload' | 'stop' | undefined
  /** Whether it dies and is started again, over and over: that ends first. */
  readonly looping: boolean
  readonly mask: 'mask' | 'unmask' | undefined
  readonly enable: 'enable' | 'disable' | undefined
  readonly linger: boolean
  /** Whether systemd is to read its file again. */
  readonly load: boolean
  /** Whether it has failed, which counts against new starts. */
  readonly failed: boolean
}

/** Tried, loaded, activated once, seen to stay up, recorded; then what is for the next boot. */
export function stepsOf(work: Work, params: Params): Step[] {
  const { name, validate, steadyFor } = params
  const { systemd, action, looping, mask, enable, linger, load, failed } = work
  const whose = systemd.owner ? { user: systemd.owner.user } : {}
  const starts = action === 'start' || action === 'restart'
  const records = starts || action === 'reload' ? recordsOf(systemd, params, action) : []
  const isService = name.endsWith('.service')
  const stays = steady(systemd, name, durationMs(steadyFor) / 1000)
  return [
    ...records.map(({ before }) => before),
    ...(validate && action && action !== 'stop'
      ? [run(validate, { title: `try what it is to load (${validate.join(' ')})`, undo: 'resumable' })]
      : []),
    ...(mask === 'unmask' ? [ctl(systemd, 'unmask', name, 'mask')] : []),
    ...(load ? [daemonReload(whose)] : []),
    // nobody uses what does not stay up
    ...(looping && starts ? [{ ...service(name, 'stop', whose), impact: 'none' as const }] : []),
    ...((failed || looping) && starts ? [ctl(systemd, 'reset-failed', name)] : []),
    ...(action ? [service(name, action, whose)] : []),
    ...(starts && isService
      ? [
          run(stays.argv, {
            title: `see that it stays up for ${steadyFor}`,
            stdin: stays.stdin,
            undo: 'resumable',
            timeout: `${durationMs(steadyFor) + 60_000}ms`,
          }),
        ]
      : []),
    ...records.map(({ after }) => after),
    ...(enable ? [service(name, enable, whose)] : []),
    ...(linger && systemd.owner ? [enableLinger(systemd.owner.user)] : []),
    ...(mask === 'mask' ? [ctl(systemd, 'mask', name, 'unmask')] : []),
  ]
}

interface Recording {
  readonly before: Step
  readonly after: Step
}

/** What is recorded of a start, which loads everything, or of a reload. */
function recordsOf(
  systemd: Systemd,
  { name, restartedAfter, reloadedAfter }: Params,
  action: 'start' | 'restart' | 'reload',
): readonly Recording[] {
  const one = (moment: Moment, paths: readonly string[]): Recording[] => {
    if (paths.length === 0) return []
    const before = note(recordPath(systemd, name, moment), paths)
    const after = keep(systemd, name, moment)
    return [
      {
        before: run(before.argv, { title: 'note what there is to load', stdin: before.stdin, undo: 'resumable' }),
        after: run(after.argv, { title: 'record that it was loaded', stdin: after.stdin, undo: 'resumable' }),
      },
    ]
  }
  return [...(action === 'reload' ? [] : one('started', restartedAfter)), ...one('reloaded', reloadedAfter)]
}

function ctl(systemd: Systemd, verb: 'mask' | 'unmask' | 'reset-failed', name: string, back?: 'mask' | 'unmask'): Step {
  const command = (what: string): Command => systemdCommand(systemd, 'systemctl', [what, '--', name])
  return run(command(verb).argv, {
    ...(systemd.owner && { as: systemd.owner.user }),
    undo: back ? [command(back)] : 'resumable',
  })
}
