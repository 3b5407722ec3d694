import { posix } from 'node:path'
import { blocked, type SakError } from 'sak-reconcile'
import type { Pm2Process } from './parse.ts'

/**
 * pm2-logrotate takes every file of a folder whose name holds `api-out__` for an old log of `api-out.log`, those of
 * `shop-api-out.log` too, and removes the oldest of them all.
 */
export function mixedLogs(processes: readonly Pm2Process[]): readonly SakError[] {
  const logs = [...new Set(processes.flatMap(({ logs }) => logs))]
  return logs.flatMap(log => {
    const victim = logs.find(
      other => other !== log && posix.dirname(other) === posix.dirname(log) && endsLike(other, log),
    )
    if (victim === undefined) return []
    return [
      blocked(
        'refused',
        `pm2-logrotate would take the old logs of ${victim} for those of ${log}, and remove them`,
        'give one of the two apps another name, or its logs another folder (out_file, error_file)',
      ),
    ]
  })
}

function endsLike(other: string, log: string): boolean {
  return posix.basename(other, '.log').endsWith(posix.basename(log, '.log'))
}
