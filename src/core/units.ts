import { z } from 'zod'

const sizeUnits = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const
const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** An amount of memory or disk in binary units: `'850M'` is 850 MiB, `'2G'` is 2 GiB. */
export type Size = `${number}${keyof typeof sizeUnits}`

/** A span of time: `'500ms'`, `'10s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = `${number}${keyof typeof durationUnits}`

const sizePattern = /^(\d+(?:\.\d+)?)([KMGT])$/
const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

const isSize = (text: string): text is Size => sizePattern.test(text)
const isDuration = (text: string): text is Duration => durationPattern.test(text)

/** The error of a schema of texts: what is expected, and the text that was perhaps meant. */
const expected =
  (what: string, nearest: (given: string) => string | undefined) =>
  ({ input }: { input?: unknown }) => {
    const meant = typeof input === 'string' || typeof input === 'number' ? nearest(String(input)) : undefined
    return meant === undefined ? what : `${what}. Did you mean "${meant}"?`
  }

/** `850m`, `850MB`, `850 MiB`, `2 gb`; a number alone says nothing of its unit. */
function nearestSize(given: string): Size | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgt])(?:i?b)?$/i.exec(given) ?? []
  const meant = `${amount}${unit.toUpperCase()}`
  return isSize(meant) ? meant : undefined
}

function nearestDuration(given: string): Duration | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?) ?(ms|sec|s|min|m|h|d)[a-z]*$/i.exec(given) ?? []
  const meant = `${amount}${unit.toLowerCase().replace('sec', 's').replace('min', 'm')}`
  return isDuration(meant) ? meant : undefined
}

const sizeError = expected('expected a size such as "850M" or "2G" (binary units K, M, G, T)', nearestSize)
const durationError = expected('expected a duration such as "500ms", "10s" or "5m"', nearestDuration)

/** Schema of a `Size`. */
export const Size = z
  .templateLiteral([z.number(), z.enum(['K', 'M', 'G', 'T'])], { error: sizeError })
  .refine(isSize, { error: sizeError })
  .meta({ title: 'size' })

/** Schema of a `Duration`. */
export const Duration = z
  .templateLiteral([z.number(), z.enum(['ms', 's', 'm', 'h', 'd'])], { error: durationError })
  .refine(isDuration, { error: durationError })
  .meta({ title: 'duration' })

/**
 * Schema of an absolute path on a host: starts with `/`, has no control characters, no `.` or `..` part.
 * Comes out with single slashes and none at the end, so that one place has one name.
 */
export const AbsolutePath = z
  .string()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .regex(/^\/[^\x00-\x1f\x7f]*$/, { error: 'expected an absolute path such as "/etc/sysctl.d/60-sak.conf"' })
  .refine(path => !/\/\.{1,2}(\/|$)/.test(path), { error: 'expected a path without "." or ".." parts' })
  .overwrite(path => path.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1'))
  .meta({ title: 'absolute path' })

/** Schema of a file mode: `'644'` or `'0644'`; comes out with four digits. */
export const FileMode = z
  .string()
  .regex(/^0?[0-7]{3}$|^[0-7]{4}$/, { error: 'expected an octal file mode such as "0644"' })
  .meta({ title: 'octal mode' })
  .transform(mode => mode.padStart(4, '0'))

/** Schema of a user or group name on a host. */
export const UserName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}\$?$/, { error: 'expected a user or group name such as "ubuntu"' })
  .meta({ title: 'user name' })

/** The bytes of a size: `sizeBytes('2G')` is 2147483648. */
export function sizeBytes(size: Size): number {
  const [, amount, unit] = sizePattern.exec(size) ?? []
  if (amount === undefined || !isUnit(unit, sizeUnits)) throw new RangeError(`not a size: ${size}`)
  return Math.round(Number(amount) * sizeUnits[unit])
}

/** The milliseconds of a duration: `durationMs('10s')` is 10000. */
export function durationMs(duration: Duration): number {
  const [, amount, unit] = durationPattern.exec(duration) ?? []
  if (amount === undefined || !isUnit(unit, durationUnits)) throw new RangeError(`not a duration: ${duration}`)
  return Math.round(Number(amount) * durationUnits[unit])
}

function isUnit<U extends object>(unit: string | undefined, units: U): unit is Extract<keyof U, string> {
  return unit !== undefined && unit in units
}
