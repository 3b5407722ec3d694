import { setTimeout as sleep } from 'node:timers/promises'
import { after } from '../core/deadline.ts'
import type { DriftEvent, DriftItem } from '../core/drift.ts'
import { SakError } from '../core/errors.ts'
import type { RunEvent } from '../core/report.ts'
import { durationMs } from '../core/units.ts'
import { detect } from '../detect.ts'
import type { Notifier } from '../drift/notify/message.ts'
import { openOutput } from '../loading/output-file.ts'
import { type Recorded, recorded } from '../recorded.ts'
import { driftText } from '../reports/drift-text.ts'
import { interruptible } from './interrupt.ts'
import type { DriftOptions } from './options.ts'
import { recentDrift } from './recent-drift.ts'
import { recordOptions } from './record.ts'
import { rememberReport } from './remember.ts'
import { furtherReportsTo, progress, reportsTo, wantsColor } from './report-output.ts'
import { runOptions } from './run-options.ts'
import { screen } from './screen.ts'

/** `drift`: looks, keeps what it found, and says what has changed since the last time. Answers the exit code. */
export async function driftCommand(cli: DriftOptions): Promise<number> {
  const { options, drift, history } = await runOptions({ ...cli, dryRun: true })
  const jitter = durationMs(cli.jitter ?? drift.jitter ?? '0s')
  const deadline = durationMs(cli.deadline ?? drift.deadline ?? '30m')
  const own = cli.format === 'text' || cli.format === 'json' ? ownOutput(cli) : undefined
  const reports = own ? furtherReportsTo(cli) : reportsTo(cli)
  return interruptible(async signal => {
    await sleep(Math.random() * jitter, undefined, { signal }).catch(() => {})
    refuseInterrupted(signal)
    const within = AbortSignal.any([signal, after(deadline, tooLate(deadline))])
    const listeners = [progress(cli), reports.onEvent]
    const onEvent = (event: RunEvent) => {
      for (const listener of listeners) listener(event)
    }
    const run = { ...options, connect: { ...options.connect, signal: within }, signal: within, onEvent }
    const record = { ...recordOptions({ history, drift, jobs: options, signal }), mode: 'drift' as const }
    const output = own && { output: own.notifier }
    const result = await recorded({ ...record, ...output, longestMs: deadline + 600_000 }, async recording => {
      await recording.begin()
      const report = await detect({ ...run, onIntents: recording.onIntents })
      refuseInterrupted(signal)
      return report
    })
    await own?.finish(result)
    await rememberReport({ history }, result.report)
    reports.onEvent({ type: 'timeline', timeline: await recentDrift(record.folder) })
    await reports.finish()
    return result.exitCode
  })
}

/** Who stops a run has learned nothing of the hosts that it did not come to: nothing is kept, and nobody is alarmed. */
function refuseInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new SakError('interrupted', 'interrupted: nothing of this run is kept')
}

const tooLate = (deadline: number) =>
  new SakError('timeout', `the whole run did not finish within ${deadline / 1000} s`, {
    hint: 'this host hangs, or there is too much to do: --deadline gives a run more time',
  })

interface OwnOutput {
  /** Shows what is new. It is one of those who are told: what a killed run did not show, the next one does. */
  readonly notifier: Notifier
  readonly finish: (result: Recorded) => Promise<void>
}

/** What `drift` itself says: nothing, where nothing has changed. */
function ownOutput(cli: DriftOptions): OwnOutput {
  const { format, output, all, verbose } = cli
  const file = output === undefined ? undefined : openOutput(output, '-o', { live: false })
  const write = (text: string) => (file ? file.write(text) : screen.print(process.stdout, text))
  const color = file === undefined && wantsColor(cli, process.stdout)
  const told: DriftEvent[] = []
  const send: Notifier['send'] = async ({ events }) => {
    told.push(...events)
    if (format === 'text') write(driftText(events, color))
  }
  const finish: OwnOutput['finish'] = async result => {
    const rest = result.items.filter(
      ({ ignored, id }) => ignored === undefined && !told.some(each => each.item.id === id),
    )
    if (format === 'json') write(driftJson(result, told))
    else if (all) write(driftText(rest.map(asBefore), color))
    else if (process.stderr.isTTY || verbose) screen.print(process.stderr, `${inShort(rest, told)}\n`)
    await file?.close()
  }
  return { notifier: { name: 'output', timeoutMs: 60_000, tries: 1, send }, finish }
}

function driftJson({ report, exitCode, items }: Recorded, events: readonly DriftEvent[]): string {
  const { startedAt, durationMs, summary } = report
  const all = { schema: 'sak-reconcile/drift@1', startedAt, durationMs, exitCode, summary, events, items }
  return `${JSON.stringify(all, null, 2)}\n`
}

const asBefore = (item: DriftItem): DriftEvent => ({ id: '', kind: 'reminder', at: item.lastSeen, run: '', item })

/** For whoever looks at a terminal, where silence would look like nothing was done. */
function inShort(rest: readonly DriftItem[], events: readonly DriftEvent[]): string {
  if (rest.length === 0) return events.length === 0 ? 'in sync, as before' : 'all else is in sync'
  const before =
    rest.length === 1 ? '1 thing is as it was told before' : `${rest.length} things are as they were told before`
  return `${before}: --all shows ${rest.length === 1 ? 'it' : 'them'}`
}
