import pc from 'picocolors'
import type { HostReport, RunEvent } from '../core/report.ts'
import { hasFailed, isNotStarted } from '../core/rollout.ts'
import { printable } from '../core/terminal.ts'

export interface ProgressOptions {
  readonly color: boolean
  /** Shows one line in place of the one before; an empty one takes it away. */
  draw(line: string): void
  /** Columns that the line may take. */
  width(): number
  /** Milliseconds now. */
  now?(): number
}

/** Milliseconds between two drawings that events cause, and between those that only show the time. */
const betweenMs = 100
const tickMs = 1000

interface State {
  readonly total: number
  readonly startedAt: number
  done: number
  failed: number
  /** What each running host is at, the latest news last. */
  readonly running: Map<string, string>
}

/** One line that tells how far a run is: drawn at most ten times a second, and gone when the run ends. */
export function progressLine(options: ProgressOptions): (event: RunEvent) => void {
  const { draw, width, now = Date.now } = options
  const colors = pc.createColors(options.color)
  let state: State | undefined
  let next: NodeJS.Timeout | undefined
  const redraw = () => {
    if (!state) return
    draw(lineOf(state, { now: now(), width: width(), colors }))
    next = setTimeout(redraw, tickMs).unref()
    drawnAt = now()
  }
  let drawnAt = 0
  const drawSoon = () => {
    clearTimeout(next)
    next = setTimeout(redraw, Math.max(0, drawnAt + betweenMs - now())).unref()
  }
  return event => {
    if (event.type === 'start') {
      state = { total: event.hosts.length, startedAt: now(), done: 0, failed: 0, running: new Map() }
      drawnAt = now() // what is over at once shows no line
    }
    if (event.type === 'end') {
      state = undefined
      clearTimeout(next)
      draw('')
      return
    }
    if (state) note(state, event)
    drawSoon()
  }
}

function note(state: State, event: RunEvent): void {
  const at = (host: string, what: string) => {
    state.running.delete(host)
    state.running.set(host, what)
  }
  if (event.type === 'host-start') at(event.host, 'checking')
  if (event.type === 'task') at(event.host, event.label)
  if (event.type === 'health') for (const host of event.hosts) at(host, 'is it well?')
  if (event.type === 'host') {
    state.running.delete(event.report.name)
    if (isNotStarted(event.report)) return
    state.done += 1
    if (hasFailed(event.report)) state.failed += 1
  }
}

interface View {
  readonly now: number
  readonly width: number
  readonly colors: ReturnType<typeof pc.createColors>
}

/** Counts first, then as many running hosts as there is room for. */
function lineOf({ total, done, failed, running, startedAt }: State, { now, width, colors }: View): string {
  const counts = `${done}/${total} host${total === 1 ? '' : 's'} done, ${running.size} running`
  const failures = failed > 0 ? `, ${failed} failed` : ''
  const time = `  ${Math.floor((now - startedAt) / 1000)} s`
  let room = width - counts.length - failures.length - time.length
  if (room < 0) return `${counts}${failures}`.slice(0, Math.max(0, width))
  const shown: string[] = []
  for (const [host, what] of [...running].reverse()) {
    const text = `${shown.length === 0 ? '  ' : ', '}${oneLine(host)}: ${oneLine(what)}`
    if (text.length > room) break
    shown.push(text)
    room -= text.length
  }
  return `${counts}${colors.red(failures)}${colors.cyan(shown.join(''))}${colors.dim(time)}`
}

/** The same as plain lines, one after the other: for logs, and for terminals that cannot redraw. */
export function progressLines(write: (text: string) => void): (event: RunEvent) => void {
  let total = 0
  let done = 0
  const line = (host: string, what: string) => write(`${oneLine(host)}: ${what}\n`)
  return event => {
    if (event.type === 'start') {
      total = event.hosts.length
      done = 0
    }
    if (event.type === 'task') line(event.host, `applying ${oneLine(event.label)}`)
    if (event.type === 'health')
      write(`asking whether ${event.hosts.map(oneLine).join(', ')} ${event.hosts.length === 1 ? 'is' : 'are'} well\n`)
    if (event.type === 'host' && !isNotStarted(event.report)) {
      done += 1
      line(event.report.name, ended(event.report, `${done}/${total}`))
    }
  }
}

const ended = ({ status, durationMs }: HostReport, counter: string) =>
  `${status} in ${(durationMs / 1000).toFixed(1)} s (${counter})`

const oneLine = (text: string) => printable(text).replaceAll(/\s+/g, ' ')
