/** What a server says of one of its settings (pg_settings). Numbers are counted in `unit`. */
export interface Setting {
  readonly name: string
  readonly setting: string
  readonly unit: string | null
  readonly vartype: 'bool' | 'integer' | 'real' | 'enum' | 'string'
  readonly context: string
  readonly source: string
  readonly file: string | null
  readonly min: string | null
  readonly max: string | null
  readonly enum: readonly string[] | null
  readonly boot: string | null
  readonly pending: boolean
}

/** What a value in a file will mean to the server. */
export type Meaning =
  /** In the form of `pg_settings.setting`. */
  | { readonly kind: 'known'; readonly setting: string }
  /** Only the server can tell: -1 and the like, that it replaces by something of its own choice, and free text. */
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly reason: string }

// largest first, as PostgreSQL lists them (guc.c): the order decides how SHOW spells a value
const memoryUnits = [
  ['TB', 1024 ** 4],
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['kB', 1024],
  ['B', 1],
] as const
const timeUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
  ['us', 0.001],
] as const

interface Scale {
  readonly units: readonly (readonly [string, number])[]
  /** How many of the scale's own smallest things the setting counts in. */
  readonly base: number
}

/** The scale of a setting's `unit`: `8kB` counts memory in pages of 8192 bytes. */
function scaleOf(unit: string | null): Scale | undefined {
  const [, amount, name] = /^(\d*)([A-Za-z]+)$/.exec(unit ?? '') ?? []
  for (const units of [memoryUnits, timeUnits]) {
    const found = units.find(([known]) => known === name)
    if (found) return { units, base: Number(amount || 1) * found[1] }
  }
  return undefined
}

/** What the text of a value means for a setting. */
export function meaningOf(text: string, setting: Setting): Meaning {
  switch (setting.vartype) {
    case 'bool':
      return boolMeaning(text)
    case 'enum':
      return enumMeaning(text, setting.enum ?? [])
    case 'integer':
    case 'real':
      return numberMeaning(text, setting)
    case 'string':
      return text === setting.setting ? { kind: 'known', setting: text } : { kind: 'open' }
  }
}

function boolMeaning(text: string): Meaning {
  const bool = parseBool(text)
  if (bool !== undefined) return { kind: 'known', setting: bool }
  return { kind: 'refused', reason: `"${text}" is not a boolean (on, off, true, false, yes, no, 1, 0)` }
}

/** PostgreSQL takes any unambiguous beginning of true, false, yes, no; `on`, `off`; 1, 0 (bool.c). */
function parseBool(text: string): 'on' | 'off' | undefined {
  const lower = text.toLowerCase()
  const begins = (word: string, least = 1) => lower.length >= least && word.startsWith(lower)
  if (lower === '1' || lower === 'on' || begins('true') || begins('yes')) return 'on'
  if (lower === '0' || begins('off', 2) || begins('false') || begins('no')) return 'off'
  return undefined
}

function enumMeaning(text: string, values: readonly string[]): Meaning {
  const found = values.find(value => value.toLowerCase() === text.toLowerCase())
  // hidden spellings (wal_level = archive, huge_pages = 1) are not in the list: the server decides
  return found === undefined ? { kind: 'open' } : { kind: 'known', setting: found }
}

function numberMeaning(text: string, setting: Setting): Meaning {
  const number = parseNumber(text, setting.unit)
  if (typeof number !== 'number') return number
  const value = setting.vartype === 'integer' ? roundHalfEven(number) : number
  if (value < Number(setting.min ?? -Infinity) || value > Number(setting.max ?? Infinity)) {
    const [least, most] = [setting.min, setting.max].map(bound => show(bound ?? '', setting))
    return { kind: 'refused', reason: `${text} is outside ${least} to ${most}` }
  }
  if (value < 0 && setting.min === '-1') return { kind: 'open' }
  // pg_settings has the modes of files in octal
  if (isOctal(setting.setting)) return { kind: 'known', setting: value.toString(8).padStart(4, '0') }
  return { kind: 'known', setting: String(Math.max(value, raisedTo[setting.name] ?? -Infinity)) }
}

/** Settings that the server raises to a minimum without a word (their check hooks), in their own units. */
const raisedTo: Readonly<Record<string, number>> = { wal_buffers: 4, autovacuum_work_mem: 1024 }

function parseNumber(text: string, unit: string | null): number | Extract<Meaning, { kind: 'refused' }> {
  const [, digits = '', suffix = ''] =
    /^\s*([-+]?(?:0x[0-9a-f]+|[\d.]+(?:e[-+]?\d+)?))\s*([A-Za-z]*)\s*$/i.exec(text) ?? []
  const number = isOctal(digits) ? Number.parseInt(digits, 8) : Number(digits)
  if (digits === '' || Number.isNaN(number)) return { kind: 'refused', reason: `"${text}" is not a number` }
  if (suffix === '') return number
  const scale = scaleOf(unit)
  const index = scale?.units.findIndex(([name]) => name === suffix) ?? -1
  const factor = scale?.units[index]?.[1]
  if (!scale || factor === undefined) return { kind: 'refused', reason: wrongUnit(text, scale) }
  // a fraction is rounded to whole units of the next smaller kind, as PostgreSQL does: 30.1GB is 30822MB
  const smaller = scale.units[index + 1]?.[1]
  const amount = number * factor
  const rounded = smaller === undefined || Number.isInteger(number) ? amount : roundHalfEven(amount / smaller) * smaller
  return rounded / scale.base
}

const isOctal = (digits: string) => /^[-+]?0[0-7]+$/.test(digits)

function wrongUnit(text: string, scale: Scale | undefined): string {
  if (!scale) return `"${text}": this setting has no unit`
  return `"${text}": its units are ${scale.units.map(([name]) => name).join(', ')} (case matters)`
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value)
  if (value - down !== 0.5) return Math.round(value)
  return down % 2 === 0 ? down : down + 1
}

/** A setting as SHOW spells it: 16384 pages of 8kB are `128MB`. */
export function show(value: string, setting: Pick<Setting, 'unit' | 'vartype'>): string {
  const scale = scaleOf(setting.unit)
  const number = Number(value)
  if (!scale || value === '' || !Number.isFinite(number) || number <= 0) return value
  const amount = number * scale.base
  const unit = scale.units.find(([, factor]) => Number.isInteger(amount / factor))
  return unit ? `${amount / unit[1]}${unit[0]}` : `${value} x ${setting.unit}`
}

/** Whether two values of a setting, both in the form of `pg_settings.setting`, are the same. */
export function sameSetting(a: string, b: string, { vartype }: Pick<Setting, 'vartype'>): boolean {
  if (a === b) return true
  if (vartype !== 'real' && vartype !== 'integer') return false
  // pg_settings prints reals with six digits
  return Math.abs(Number(a) - Number(b)) <= 1e-5 * Math.max(Math.abs(Number(a)), Math.abs(Number(b)))
}
