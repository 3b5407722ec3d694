import { z } from 'zod'

/** `vm.swappiness`, or with slashes as in /proc/sys; the separator that comes first decides, as sysctl(8) has it. */
const spelling = /^[a-z0-9_][a-z0-9_-]*(?:[./][\w:@+-]+)+$/i

/** Keys that do something when they are written (or read) and have no value to keep. */
const triggers = new Set([
  'vm.drop_caches',
  'vm.compact_memory',
  'vm.stat_refresh',
  'net.ipv4.route.flush',
  'net.ipv6.route.flush',
])

const SysctlKey = z
  .string()
  .regex(spelling, { error: 'expected a kernel parameter such as "vm.swappiness", without wildcards' })
  .refine(key => !triggers.has(canonicalKey(key)), {
    error: 'this one acts when it is written, and has no value to keep',
  })

const error = 'expected a whole number, or a text of one line such as "4096 131072 6291456"'
const SysctlValue = z
  .union([z.int({ error }), z.string().regex(/^[\t -~]*[!-~][\t -~]*$/, { error })], { error })
  .transform(value => words(String(value)))

/** Schema of kernel parameters and their values; comes out with canonical keys, and single spaces between a value's words. */
export const SysctlSettings = z
  .record(SysctlKey, SysctlValue)
  .refine(settings => Object.keys(settings).length > 0, { error: 'expected at least one kernel parameter' })
  .refine(settings => new Set(Object.keys(settings).map(canonicalKey)).size === Object.keys(settings).length, {
    error: 'a kernel parameter is set twice, in two spellings',
  })
  .transform(settings => Object.fromEntries(Object.entries(settings).map(([key, value]) => [canonicalKey(key), value])))
  .refine(settings => !Object.keys(settings).some(key => Object.hasOwn(settings, twinOf(key) ?? '')), {
    error: 'a limit in bytes and the same limit as a ratio exclude each other: keep one of the two',
  })

/** The key as sysctl(8) prints it: `net/ipv4/conf/eth0.100/rp_filter` is `net.ipv4.conf.eth0/100.rp_filter`. */
export function canonicalKey(key: string): string {
  return /[./]/.exec(key)?.[0] === '/' ? swapSeparators(key) : key
}

/** Where the kernel shows a canonical key. */
export function keyPath(key: string): string {
  return `/proc/sys/${swapSeparators(key)}`
}

/** A value with single spaces between its words: the kernel separates with tabs what people separate with spaces. */
export function words(value: string): string {
  return value
    .split(/[ \t\n\r\v\f]+/)
    .filter(word => word !== '')
    .join(' ')
}

function swapSeparators(key: string): string {
  return key.replace(/[./]/g, separator => (separator === '.' ? '/' : '.'))
}

const pairs = [
  ['vm.dirty_bytes', 'vm.dirty_ratio'],
  ['vm.dirty_background_bytes', 'vm.dirty_background_ratio'],
  ['vm.overcommit_kbytes', 'vm.overcommit_ratio'],
] as const

const twins: ReadonlyMap<string, string> = new Map(
  pairs.flatMap(([bytes, ratio]): [string, string][] => [
    [bytes, ratio],
    [ratio, bytes],
  ]),
)

/** The key that the kernel sets to 0 when this one is written: two units for one limit. */
export function twinOf(key: string): string | undefined {
  return twins.get(key)
}
