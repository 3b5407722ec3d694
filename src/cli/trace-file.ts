import { onSpan, type Span } from '../core/trace.ts'
import { openOutput } from '../loading/output-file.ts'

/** An event of Chrome's trace format, which chrome://tracing and ui.perfetto.dev open. Times are whole microseconds. */
interface TraceEvent {
  readonly ph: 'X' | 'M'
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly args: Readonly<Record<string, unknown>>
}

/**
 * Keeps in a file where the time of a run goes: a process for each host, and in it a line for each thing that is done there.
 * Answers what writes it, once the run has ended.
 * @throws SakError `usage` where the file cannot be written
 */
export function traceTo(path: string): () => Promise<void> {
  const file = openOutput(path, '--trace', { live: false })
  const spans: Span[] = [{ name: 'start-up', from: 0, to: performance.now(), details: {} }]
  const stop = onSpan(span => void spans.push(span))
  return async () => {
    stop()
    file.write(
      `[\n${traceEvents(spans)
        .map(event => JSON.stringify(event))
        .join(',\n')}\n]\n`,
    )
    await file.close()
  }
}

/** Hosts become processes, names become threads: spans of one name and host never overlap. */
export function traceEvents(spans: readonly Span[]): readonly TraceEvent[] {
  const numbers = new Map<string, number>()
  return spans.flatMap(({ name, host = 'run', from, to, details }) => {
    const named: TraceEvent[] = []
    const number = (key: string, what: (number: number) => TraceEvent): number => {
      const known = numbers.get(key)
      if (known !== undefined) return known
      const next = numbers.size + 1
      numbers.set(key, next)
      named.push(what(next))
      return next
    }
    const pid = number(host, next => ({ ph: 'M', name: 'process_name', pid: next, tid: 0, args: { name: host } }))
    const tid = number(`${host}\n${name}`, next => ({ ph: 'M', name: 'thread_name', pid, tid: next, args: { name } }))
    const [ts, end] = [microseconds(from), microseconds(to)]
    return [...named, { ph: 'X' as const, name, pid, tid, ts, dur: end - ts, args: details }]
  })
}

const microseconds = (ms: number) => Math.round(ms * 1000)
