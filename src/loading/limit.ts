import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { SakError } from '../core/errors.ts'
import { splitHostPattern } from '../core/host-pattern.ts'
import { type Inventory, localhost } from '../core/inventory.ts'
import type { HostStatus } from '../core/report.ts'
import { type LastRun, lastRun } from './last-run.ts'
import type { Cwd } from './source.ts'

/** What `@file` and `failed` are looked up in. */
export interface LimitSources {
  readonly cwd: Cwd
  /** Tells the playbook's last run from those of other playbooks. */
  readonly playbook: string
  readonly inventory: Inventory | undefined
}

/**
 * The single patterns of `--limit`, with `@file` replaced by the lines of the file and `failed` by the hosts of the last run that
 * were not ok or changed. What stands for no host is refused: left out, it would leave a pattern that means other hosts, or all.
 * @throws SakError `usage`
 */
export async function resolveLimit(limit: string, sources: LimitSources): Promise<readonly string[]> {
  const patterns = await Promise.all(splitHostPattern(limit).map(pattern => resolveOne(pattern, sources)))
  return patterns.flat()
}

async function resolveOne(pattern: string, sources: LimitSources): Promise<readonly string[]> {
  const [, sign = '', name = pattern] = /^([!&]?)(.*)$/s.exec(pattern) ?? []
  if (name.startsWith('@')) return signed(sign, await linesOf(name.slice(1), sources.cwd), pattern)
  return name === 'failed' ? signed(sign, await failedHosts(sources), pattern) : [pattern]
}

/** `&a` and `&b` would keep what both match: for several hosts one pattern is made that matches any of them. */
function signed(sign: string, patterns: readonly string[], whole: string): readonly string[] {
  if (sign !== '&' || patterns.length === 1) return patterns.map(pattern => sign + pattern)
  const names = patterns.filter(pattern => /^[\w.:-]+$/.test(pattern))
  if (names.length === patterns.length) return [`&~^(?:${names.map(name => name.replaceAll('.', '\\.')).join('|')})$`]
  throw new SakError('usage', `--limit: after & only names of hosts can stand in "${whole}"`)
}

async function linesOf(name: string, cwd: Cwd): Promise<readonly string[]> {
  const path = resolve(cwd, name)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('usage', `--limit @${name}: ${path} cannot be read: ${why}`, { cause })
  })
  const lines = text.split(/\r?\n/).map(line => line.replace(/(^|\s)#.*/, '').trim())
  const patterns = lines.filter(Boolean).flatMap(splitHostPattern)
  if (patterns.length > 0) return patterns
  throw new SakError('usage', `--limit @${name}: the file names no host`, { hint: 'a host or a pattern on each line' })
}

const fine: ReadonlySet<HostStatus> = new Set<HostStatus>(['ok', 'changed'])

async function failedHosts({ playbook, inventory }: LimitSources): Promise<readonly string[]> {
  const last = await lastRun(playbook)
  if (!last) {
    const hint = 'run it once without --limit failed'
    throw new SakError('usage', '--limit failed: no earlier run of this playbook is known', { hint })
  }
  const failed = Object.keys(last.hosts).filter(name => !fine.has(last.hosts[name] ?? 'ok'))
  if (failed.length === 0) throw new SakError('usage', `--limit failed: ${told(last)} left every host in sync`)
  const known = failed.filter(name => inventory?.hosts.has(name) || name === localhost().name)
  if (known.length > 0) return known
  throw new SakError('usage', `--limit failed: the inventory has none of the hosts that ${told(last)} left`, {
    hint: `they were: ${failed.slice(0, 10).join(', ')}`,
  })
}

const told = ({ startedAt }: LastRun) => `the last run (${startedAt.slice(0, 16).replace('T', ' ')} UTC)`
