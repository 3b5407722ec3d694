import pc from 'picocolors'
import type { DriftEvent, DriftItem, ResolvedBy } from '../core/drift.ts'
import { printable } from '../core/terminal.ts'
import { diffLines, valueLines } from './text-change.ts'

type Colors = ReturnType<typeof pc.createColors>

/** Most events that are told with all that differs; of more, each has its line. */
const mostInFull = 50

/** What has changed since the last run, for people. */
export function driftText(events: readonly DriftEvent[], color = false): string {
  const colors = pc.createColors(color)
  const lines = events.flatMap((event, index) => eventLines(event, colors, index < mostInFull))
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** The same in one line: `t3-small: 2 new, 1 resolved (web1, web2)`. */
export function driftTitle(playbook: string, events: readonly DriftEvent[]): string {
  const kinds = ['new', 'changed', 'resolved', 'reminder'] as const
  const words = { new: 'new', changed: 'changed', resolved: 'resolved', reminder: 'still there' }
  const counts = kinds.flatMap(kind => {
    const count = events.filter(event => event.kind === kind).length
    return count === 0 ? [] : [`${count} ${words[kind]}`]
  })
  const hosts = [...new Set(events.flatMap(({ item }) => item.host ?? []))]
  const more = hosts.length > 5 ? ` and ${hosts.length - 5} more` : ''
  const where = hosts.length === 0 ? '' : ` (${hosts.slice(0, 5).join(', ')}${more})`
  return printable(`${playbook}: ${counts.join(', ')}${where}`).replaceAll('\n', ' ')
}

function eventLines(event: DriftEvent, colors: Colors, inFull: boolean): string[] {
  const { item } = event
  const head = `${mark(event, colors)} ${colors.bold(whereOf(item))}${about(event)}`
  if (event.kind === 'resolved' || !inFull) return [head]
  const message = item.message === undefined ? [] : [printable(item.message)]
  return [head, ...[...message, ...changeLines(item, colors)].map(line => `  ${line}`)]
}

function mark({ kind, item }: DriftEvent, colors: Colors): string {
  const isDrift = item.subject === 'drift'
  switch (kind) {
    case 'new':
      return isDrift ? colors.yellow('drift   ') : colors.red('failing ')
    case 'changed':
      return colors.yellow('changed ')
    case 'reminder':
      return isDrift ? colors.yellow('still   ') : colors.red('still   ')
    case 'resolved':
      return colors.green('resolved')
  }
}

/** `web1: sysctl: running vm.swappiness`. */
export function whereOf({ subject, host, task, key, path, entry }: DriftItem): string {
  const place = [key, path, entry].filter(part => part !== undefined).join(' ')
  const kinds = { drift: '', failure: '', notifier: 'notifier ', rule: 'ignore rule: ' }
  return printable([host, task, `${kinds[subject]}${place}`].filter(part => part !== null).join(': '))
}

const byWhom: Readonly<Record<ResolvedBy, string>> = {
  us: 'mended by our own apply',
  outside: 'not by us',
  playbook: 'by a change of the playbook or inventory',
  ignored: 'a rule ignores it from now on',
}
const fromWhere = { host: 'the host was changed', playbook: 'the playbook was changed', unknown: '' } as const

function about({ kind, at, by, item }: DriftEvent): string {
  const since = `since ${minute(item.firstSeen)}`
  const origin = item.subject === 'drift' ? fromWhere[item.origin] : ''
  if (kind === 'resolved') {
    const how = item.subject === 'drift' && by ? `, ${byWhom[by]}` : ''
    return `  after ${spanOf(Date.parse(at) - Date.parse(item.firstSeen))}${how}`
  }
  return `  ${[since, origin].filter(Boolean).join(', ')}`
}

function changeLines({ change }: DriftItem, colors: Colors): string[] {
  if (!change) return []
  if (change.diff !== undefined) return diffLines(change.diff, colors)
  return valueLines(change.before, change.after, colors)
}

/** `2026-11-25 01:30 UTC`. */
export const minute = (iso: string) => `${iso.slice(0, 16).replace('T', ' ')} UTC`

/** A time in its greatest unit that makes sense: `40 s`, `3 h`, `12 d`. A clock that was set back makes it 0. */
export function spanOf(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const
  for (const [unit, length] of units) if (ms >= 2 * length) return `${Math.round(ms / length)} ${unit}`
  return `${Math.max(0, Math.round(ms / 1000))} s`
}
