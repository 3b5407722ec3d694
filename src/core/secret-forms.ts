import type { SecretEncoding } from './secret.ts'
import { printable } from './terminal.ts'

/** A text by which a secret can be known: the secret itself, or what an encoding makes of it. */
export interface SecretForm {
  readonly name: string
  readonly text: string
}

const json = (value: string) => JSON.stringify(value).slice(1, -1)

/** What each encoding makes of a value. */
export const encoders: Readonly<Record<SecretEncoding, (value: string) => string>> = {
  json,
  url: encodeURIComponent,
  shell: value => value.replaceAll("'", "'\\''"),
  pgconf: value => value.replaceAll("'", "''").replaceAll('\\', '\\\\'),
  line: value => value,
  word: value => value,
  base64: value => Buffer.from(value).toString('base64'),
}

/** Why a value cannot be written in an encoding; undefined where it can. */
export function unwritable(value: string, encoding: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  const isLine = !/[\x00-\x1f\x7f]/.test(value)
  if (['line', 'pgconf'].includes(encoding) && !isLine) return 'a line break or another control character'
  if (encoding === 'word' && !/^[\w.,:/@%+=~^-]*$/.test(value))
    return 'other characters than letters, digits and _.,:/@%+=~^-'
  return undefined
}

/** Forms that programs print and nobody asks for by name. */
const others: Readonly<Record<string, (value: string) => string>> = {
  sql: value => value.replaceAll("'", "''"),
  jsonascii: value =>
    json(value).replace(/[^\0-\x7f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  urllower: value => encodeURIComponent(value).replace(/%../g, code => code.toLowerCase()),
  urlstrict: value => encodeURIComponent(value).replace(/[!'()*]/g, percent),
  form: value => new URLSearchParams({ v: value }).toString().slice(2),
  html: value =>
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  htmlquoted: value => others.html?.(value).replaceAll("'", '&#39;') ?? value,
  crlf: value => value.replaceAll('\n', '\r\n'),
  printable,
  hex: value => Buffer.from(value).toString('hex'),
  hexupper: value => Buffer.from(value).toString('hex').toUpperCase(),
  base64b: value => base64At(value, 1),
  base64c: value => base64At(value, 2),
  base64url: value => Buffer.from(value).toString('base64url'),
}

const percent = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

/** What is always the same in the base64 of a text in which the value stands behind `before` bytes (of three). */
function base64At(value: string, before: 1 | 2): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
  return bytes.toString('base64').slice(before + 1, Math.floor((bytes.length * 8) / 6))
}

/** The same for a value that begins such a text, and does not end it. */
const base64Begin = (value: string) => {
  const bytes = Buffer.from(value)
  return bytes.toString('base64').slice(0, Math.floor((bytes.length * 8) / 6))
}

/** The forms of a value, each text once: the value itself first. Of a value of several lines also each line that says enough. */
export function formsOf(value: string): readonly SecretForm[] {
  const forms = [
    { name: 'raw', text: value },
    ...Object.entries({ ...encoders, ...others, base64a: base64Begin }).map(([name, encode]) => ({
      name,
      text: encode(value),
    })),
    ...value.split(/\r?\n/).map((text, index) => ({ name: `line${index}`, text })),
  ]
  const texts = new Set<string>()
  const isLegal = (name: string) => unwritable(value, name) === undefined
  return forms.filter(({ name, text }) => {
    const isNew =
      !texts.has(text) && isLegal(name) && (name === 'raw' || (!isTooCommon(text) && !text.startsWith('-----')))
    texts.add(text)
    return isNew
  })
}

/**
 * Whether a text stands in other places by chance, so that hiding it would hide what is no secret, and reading round it would be
 * guessing: fewer than 8 characters, or a single word or number of fewer than 16.
 */
export function isTooCommon(text: string): boolean {
  return (
    text.length < 8 ||
    (text.length < 16 && (/^[a-z]*$|^[A-Z]?[a-z]*$|^[A-Z]*$|^[\d.,: -]*$/.test(text) || /^(.)\1*$/s.test(text)))
  )
}
