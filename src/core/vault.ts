import { SakError } from './errors.ts'
import { nameSecrets, replaceTokens, secretName, tokenNonce, tokenOf } from './secret.ts'
import { encoders, formsOf, unwritable } from './secret-forms.ts'
import { mapTexts } from './texts.ts'

/**
 * The secrets of a run, open. `mask` and `reveal` are each other's reverse: what a host says comes to modules with tokens in the place of
 * values, and gets its bytes back on its way to a host.
 */
export interface Vault {
  /** Plain data with its tokens as `mask` would write them: two tokens for the same text become one. */
  settle<T>(value: T): T
  /** Values in the place of tokens. Throws SakError `refused` for a token that was damaged, or is none of this run's. */
  reveal(text: string): string
  /** Tokens in the place of values, in whatever form they stand in a text. */
  mask(text: string): string
  /** Plain data for people to read: in the place of tokens and values stand names. */
  hide<T>(value: T): T
}

const same = <T>(value: T): T => value

/** The vault of a run without secrets. */
export const noSecrets: Vault = { settle: same, reveal: refuseDamaged, mask: same, hide: same }

/** Opens a vault over values by the numbers of their secrets. */
export function openVault(values: ReadonlyMap<number, string>): Vault {
  if (values.size === 0) return noSecrets
  const forms = [...values].flatMap(([id, value]) => formsOf(value).map(form => ({ id, ...form })))
  const known = new Map<string, string>()
  for (const { id, name, text } of forms) if (!known.has(text)) known.set(text, tokenOf(id, name))
  const longestFirst = [...known.keys()].sort((a, b) => b.length - a.length)
  const exact = new RegExp(longestFirst.map(escaped).join('|'), 'g')
  const loose = new RegExp(
    forms
      .map(looser)
      .sort((a, b) => b.length - a.length)
      .join('|'),
    'g',
  )
  const texts = new Map(forms.map(({ id, name, text }) => [tokenOf(id, name), text]))

  const reveal = (text: string): string => {
    if (!text.toLowerCase().includes(tokenNonce)) return refuseDamaged(text)
    const revealed = replaceTokens(text, (id, form, token) => texts.get(token) ?? encode(id, form, values.get(id)))
    return refuseDamaged(revealed)
  }
  const mask = (text: string): string => text.replace(exact, found => known.get(found) ?? found)
  const named = (text: string): string => {
    return nameSecrets(text).replace(loose, found => shownAs(owner(found, forms)))
  }
  const hide = (text: string, key?: string): string => (key === 'said' ? hideCut(named(text), forms) : named(text))
  return {
    reveal,
    mask,
    settle: value => mapTexts(value, text => (text.includes(tokenNonce) ? mask(reveal(text)) : text)),
    hide: value => mapTexts(value, hide),
  }
}

interface Known {
  readonly id: number
  readonly name: string
  readonly text: string
}

const shownAs = (id: number) => `<secret ${secretName(id)}>`
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Most characters of a form that is looked for with line breaks within it. */
const longestWrapped = 2048

/** base64 and hex are wrapped by those who print them, and a diff puts a mark before each line. */
function looser({ name, text }: Known): string {
  if (!/^(base64|hex)/.test(name) || text.length > longestWrapped) return escaped(text)
  return [...text].map(escaped).join('(?:\\r?\\n[ +-]?)?')
}

function owner(found: string, forms: readonly Known[]): number {
  const bare = (text: string) => text.replace(/\r?\n[ +-]?/g, '')
  return (forms.find(({ text }) => text === found) ?? forms.find(({ text }) => bare(text) === bare(found)))?.id ?? -1
}

function encode(id: number, form: string, value: string | undefined): string {
  const name = secretName(id)
  if (value === undefined)
    throw new SakError('refused', `the secret ${name} is not one that a param of this task holds`)
  const why = unwritable(value, form)
  if (why !== undefined) throw new SakError('refused', `the secret ${name} has ${why}, which cannot stand here`)
  const encoder = Object.entries(encoders).find(([encoding]) => encoding === form)?.[1]
  if (form === 'raw') return value
  if (encoder) return encoder(value)
  throw new SakError('refused', `the secret ${name} is asked for as "${form}", which no encoding is called`)
}

const hiddenNonces = [0, 1, 2].map(before => {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(tokenNonce)])
  return bytes.toString('base64').slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6))
})

/** A token that was changed on its way would go to the host as it is. */
function refuseDamaged(text: string): string {
  if (!text.toLowerCase().includes(tokenNonce) && !hiddenNonces.some(nonce => text.includes(nonce))) return text
  throw new SakError('refused', 'a secret was changed before its value was known (to upper case, or to base64)', {
    hint: "say what it should be written as: secret.env('X').as('base64')",
  })
}

/** The fewest characters of a secret at the edge of a text that are hidden as a part of it. */
const fewest = 6

/** A text that was cut may begin or end within a secret. */
function hideCut(text: string, forms: readonly Known[]): string {
  return forms.reduce((left, { id, text: form }) => {
    const [begin, end] = [headOf(left, form), tailOf(left, form)]
    const behind = begin > 0 ? shownAs(id) + left.slice(begin) : left
    return end > 0 ? behind.slice(0, -end) + shownAs(id) : behind
  }, text)
}

/** How many characters at the beginning of a text end a form. */
function headOf(text: string, form: string): number {
  if (text.length < fewest) return 0
  const probe = text.slice(0, fewest)
  for (let at = form.indexOf(probe); at >= 0; at = form.indexOf(probe, at + 1)) {
    if (at > 0 && text.startsWith(form.slice(at))) return form.length - at
  }
  return 0
}

/** How many characters at the end of a text begin a form; what marks the cut belongs to them. */
function tailOf(text: string, form: string): number {
  const trimmed = text.replace(/[…\s]+$/, '')
  if (trimmed.length < fewest) return 0
  const probe = trimmed.slice(-fewest)
  for (let at = form.indexOf(probe); at >= 0; at = form.indexOf(probe, at + 1)) {
    const cut = at + fewest
    if (cut < form.length && trimmed.endsWith(form.slice(0, cut))) return cut + text.length - trimmed.length
  }
  return 0
}
