import { InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { Health, parseMaxFail, parseSerial, type Share } from '../core/rollout.ts'
import { Duration } from '../core/units.ts'
import { reportFormats } from '../reports/formats.ts'

// What stands behind an option, parsed as commander wants it: what is wrong is an InvalidArgumentError.

export const FurtherReport = z.object({ format: z.enum(reportFormats), file: z.string() })

export const append = (value: string, before: string[] = []): string[] => [...before, value]
export const appendList = (value: string, before: string[] = []): string[] => [
  ...before,
  ...value.split(',').filter(Boolean),
]

export function appendReport(
  text: string,
  before: z.input<typeof FurtherReport>[] = [],
): z.input<typeof FurtherReport>[] {
  const at = text.indexOf(':')
  const format = reportFormats.find(each => each === text.slice(0, at))
  if (format === undefined || at === text.length - 1) {
    throw new InvalidArgumentError(`expected FORMAT:FILE, with one of ${reportFormats.join(', ')}`)
  }
  return [...before, { format, file: text.slice(at + 1) }]
}

export function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1 on')
  return value
}

const share = 'expected a number of hosts (2) or a share of them (25%)'

export function serial(text: string): readonly Share[] {
  try {
    return parseSerial(text)
  } catch {
    throw new InvalidArgumentError(`${share}, or several: 1,5,25%`)
  }
}

export function maxFail(text: string): Share {
  try {
    return parseMaxFail(text)
  } catch {
    throw new InvalidArgumentError(share)
  }
}

export function duration(text: string): Duration {
  const { data } = Duration.safeParse(text)
  if (data === undefined) throw new InvalidArgumentError('expected a time such as 30s, 5m or 1h')
  return data
}

export function health(text: string): string {
  if (Health.safeParse({ url: text }).success) return text
  throw new InvalidArgumentError('expected a URL such as "http://{address}:8080/health"')
}

/** `postgres.max_connections=75` is `{ postgres: { max_connections: 75 } }`; a value that is no JSON is text. */
export function appendVar(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected NAME=VALUE')
  const path = text.slice(0, at).split('.')
  return setPath(before, path, jsonOrText(text.slice(at + 1)))
}

function setPath(
  vars: Record<string, unknown>,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const inner = vars[name]
  const record = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...inner } : {}
  return { ...vars, [name]: rest.length === 0 ? value : setPath(record, rest, value) }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
