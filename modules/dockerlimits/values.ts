/** Sizes and numbers of processors, as compose reads them. */
import type { SettingName } from './params.ts'

const unit = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 } as const
const isUnit = (text: string): text is keyof typeof unit => text in unit

/** Bytes of a size as compose reads it (go-units): `850M`, `850mb`, `1.5GiB`, `891289600`, all binary. */
export function bytesOfSize(text: string): number | undefined {
  const [, amount, letter = ''] = /^(\d+(?:\.\d*)?|\.\d+) ?([kmgtp]?)i?b?$/i.exec(text.trim()) ?? []
  const lower = letter.toLowerCase()
  return amount === undefined || !isUnit(lower) ? undefined : Math.trunc(Number(amount) * unit[lower])
}

/** The number that a text means for a setting: bytes, or processors. */
export function meaningOf(name: SettingName, text: string): number | undefined {
  if (name === 'memory' || name === 'memoryReservation') return bytesOfSize(text)
  return /^\d+(\.\d*)?$|^\.\d+$/.test(text.trim()) ? Number(text) : undefined
}

/** A size on the shortest line that is exact: `850M`, `1536M`, `1000b`. */
export function sizeText(bytes: number): string {
  for (const [letter, size] of [
    ['G', unit.g],
    ['M', unit.m],
    ['K', unit.k],
  ] as const) {
    if (bytes > 0 && bytes % size === 0) return `${bytes / size}${letter}`
  }
  return `${bytes}b`
}

/** A value as it is written into a file. */
export function textOf(name: SettingName, value: number): string {
  return name === 'memory' || name === 'memoryReservation' ? sizeText(value) : String(value)
}
