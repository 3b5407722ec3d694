import { blocked, type FileRead, type Host, run, type SakError, type Step, waitFor } from 'sak-reconcile'
import { keyPath, twinOf, words } from './keys.ts'
import { isReadOnly } from './parse.ts'

/** Canonical keys and their values. */
export type Values = Readonly<Record<string, string>>

/** What the running kernel shows, and what stands in the way of changing it. */
export interface Kernel {
  readonly files: Readonly<Record<string, FileRead>>
  readonly mounts: string
  readonly hasSysctl: boolean
}

export async function readKernel(host: Host, keys: readonly string[]): Promise<Kernel> {
  const [files, mounts, program] = await Promise.all([
    Promise.all(keys.map(async key => [key, await host.file(keyPath(key))] as const)),
    host.file('/proc/self/mounts'),
    host.stat('/sbin/sysctl'),
  ])
  return { files: Object.fromEntries(files), mounts: mounts.content ?? '', hasSysctl: program !== null }
}

/** The values that the kernel uses now; a key that it does not have is missing. */
export function valuesOf({ files }: Kernel): Values {
  const known = Object.entries(files).flatMap(([key, { content }]) => (content === null ? [] : [[key, words(content)]]))
  return Object.fromEntries(known)
}

/** The settings, and the twin of each at 0, as the kernel sets it. */
export function withTwins(settings: Values): Values {
  const twins = Object.keys(settings).flatMap(key => twinOf(key) ?? [])
  return { ...Object.fromEntries(twins.map(twin => [twin, '0'])), ...settings }
}

/** Why the kernel cannot be brought from the current to the desired values. */
export function obstacles(kernel: Kernel, desired: Values): SakError[] {
  const current = valuesOf(kernel)
  const differing = Object.keys(desired).filter(key => current[key] !== desired[key])
  const reasons = differing.flatMap(key => obstacle(key, kernel) ?? [])
  if (differing.length > 0 && !kernel.hasSysctl) {
    reasons.push(
      blocked('not-installed', 'there is no /sbin/sysctl', "packages({ name: 'procps' }) before this task installs it"),
    )
  }
  return reasons
}

function obstacle(key: string, { files, mounts }: Kernel): SakError | undefined {
  const { content = null, stat } = files[key] ?? {}
  if (content === null || stat === undefined) {
    return blocked(
      'unsupported',
      `this kernel has no ${key}`,
      'check the spelling; keys of a kernel module are there once it is loaded, and a container sees only those of its own',
    )
  }
  if (isReadOnly(mounts, keyPath(key))) {
    return blocked(
      'unsupported',
      `${keyPath(key)} is mounted read-only`,
      'a container shares the kernel of the machine that runs it: set it there',
    )
  }
  if (stat.owner !== 'root') {
    return blocked(
      'unsupported',
      `${keyPath(key)} belongs to ${stat.owner}`,
      'a container shares the kernel of the machine that runs it: set it there',
    )
  }
  if ((Number.parseInt(stat.mode, 8) & 0o200) === 0) {
    return blocked('unsupported', `${key} cannot be set: the kernel only shows it`, 'take it out of the settings')
  }
  return undefined
}

/**
 * Sets the kernel's values, before anything is saved: the kernel refuses some values, and rounds or cuts others without
 * a word, and what it does not take must not be found by the next boot.
 */
export function setValues(before: Values, after: Values, settings: Values): Step[] {
  const differs = (key: string | undefined) => key !== undefined && before[key] !== after[key]
  const assign = (keys: readonly string[], values: Values) => [
    'sysctl',
    '-w',
    ...keys.map(key => `${key}=${values[key]}`),
  ]
  const toSet = Object.keys(settings).filter(key => differs(key) || differs(twinOf(key)))
  const differing = Object.keys(after).filter(differs)
  // the kernel does not take 0 for one of a pair; setting the other says it
  const toRestore = differing.filter(key => before[key] !== '0' || twinOf(key) === undefined)
  return [
    run(assign(toSet, after), { undo: [{ argv: assign(toRestore, before) }] }),
    ...differing.map(key => waitFor(['sysctl', '-n', key], { output: exactly(after[key] ?? ''), within: '1s' })),
  ]
}

/** A regular expression for a line that has these words and no others. */
function exactly(value: string): string {
  const escaped = value.split(' ').map(word => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return `^${escaped.join('[[:space:]]+')}$`
}
