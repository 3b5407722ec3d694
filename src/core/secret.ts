import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { someText } from './texts.ts'
import type { Duration } from './units.ts'

/** Where the value of a secret comes from: always the machine that runs sak-reconcile, never a host. */
export type SecretSource =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly timeout: Duration }

/**
 * How a value is written where the syntax around it has a meaning for some characters. `json`: within the quotes of a JSON or JavaScript
 * string. `url`: within a URL. `shell`: within single quotes of `sh`. `pgconf`: within single quotes of postgresql.conf, on one line.
 * `line`: as it is, but refused where it has a line break or another control
 * character. `word`: as it is, but refused where it has anything but letters, digits and `_.,:/@%+=~^-`. `base64`: its UTF-8 bytes in base64.
 */
export const secretEncodings = ['json', 'url', 'shell', 'pgconf', 'line', 'word', 'base64'] as const
export type SecretEncoding = (typeof secretEncodings)[number]

const brand = Symbol.for('sak-reconcile.secret')

/**
 * A secret that a playbook names and nobody sees. As a string it is a token, a word of letters, digits and `_`: it may stand in templates
 * and within other text. Its value takes the token's place when the script for the host is built.
 */
export interface Secret {
  readonly [brand]: true
  /** The same secret, written as the syntax around it wants it. */
  as(encoding: SecretEncoding): Secret
  toString(): string
  toJSON(): string
}

/** Sources by their number, and what no host can guess. One for all copies of the package in a process. */
interface Registry {
  readonly nonce: string
  readonly sources: SecretSource[]
}

const registry = sharedRegistry(Symbol.for('sak-reconcile.secrets'))

function sharedRegistry(key: symbol): Registry {
  const found: unknown = Reflect.get(globalThis, key)
  if (isRegistry(found)) return found
  const made: Registry = { nonce: randomBytes(8).toString('hex'), sources: [] }
  Reflect.set(globalThis, key, made)
  return made
}

function isRegistry(value: unknown): value is Registry {
  return typeof value === 'object' && value !== null && 'nonce' in value && 'sources' in value
}

/** Names a secret. It is asked for once a run, before any host is touched, and only where a chosen task uses it. */
export const secret = {
  /** The value of an environment variable. */
  env: (name: string): Secret => secretFrom({ kind: 'env', name }),
  /** The content of a file, relative to the working directory, without the line breaks at its end. */
  file: (path: string): Secret => secretFrom({ kind: 'file', path }),
  /** What a program prints (`['sops', '-d', 'db.enc']`), without the line breaks at its end. Default timeout 30s. */
  command: (argv: readonly string[], { timeout = '30s' }: { timeout?: Duration } = {}): Secret =>
    secretFrom({ kind: 'command', argv, timeout }),
}

function secretFrom(source: SecretSource): Secret {
  const same = registry.sources.findIndex(known => JSON.stringify(known) === JSON.stringify(source))
  return secretAs(same < 0 ? registry.sources.push(source) - 1 : same, 'raw')
}

function secretAs(id: number, form: string): Secret {
  const text = tokenOf(id, form)
  return {
    [brand]: true,
    as: encoding => secretAs(id, encoding),
    toString: () => text,
    toJSON: () => text,
  }
}

/** Whether a value is a secret of this or of another copy of the package. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && brand in value
}

/** Stands for one form of a secret in text. Nothing that quotes or parses text changes such a word. */
export function tokenOf(id: number, form: string): string {
  return `saksecret_${id}_${form}_${registry.nonce}`
}

const tokens = new RegExp(`saksecret_(\\d+)_([a-z0-9]+)_${registry.nonce}`, 'g')

/** What every token has, and nothing else: a text that has it and no token has a damaged one. */
export const tokenNonce = registry.nonce

/** Replaces the tokens of a text. */
export function replaceTokens(text: string, by: (id: number, form: string, token: string) => string): string {
  return text.replace(tokens, (token, id: string, form: string) => by(Number(id), form, token))
}

/** The secrets in a text, or in all texts of plain data, by their numbers. */
export function secretsIn(value: unknown): ReadonlySet<number> {
  const found = new Set<number>()
  someText(value, text => {
    if (text.includes(tokenNonce)) for (const [, id] of text.matchAll(tokens)) found.add(Number(id))
    return false
  })
  return found
}

/** A text up to its first token. */
export function beforeSecret(text: string): string {
  return text.slice(0, Math.max(0, text.search(tokens)))
}

export function holdsSecret(value: unknown): boolean {
  return secretsIn(value).size > 0
}

/** Where a secret comes from; undefined for a number that no secret has. */
export function sourceOf(id: number): SecretSource | undefined {
  return registry.sources[id]
}

/** The name of a secret, for messages and diffs: `env DB_PASSWORD`. */
export function secretName(id: number): string {
  const source = registry.sources[id]
  switch (source?.kind) {
    case 'env':
      return `env ${source.name}`
    case 'file':
      return `file ${source.path}`
    case 'command': {
      const line = source.argv.join(' ')
      return `command ${line.length > 60 ? `${line.slice(0, 59)}…` : line}`
    }
    default:
      return `number ${id}`
  }
}

/** A text for people: names in the place of tokens. */
export function nameSecrets(text: string): string {
  return replaceTokens(text, id => `<secret ${secretName(id)}>`)
}

/**
 * For authors of modules who escape text themselves: call it on text that was escaped in this way, and the secrets in it are escaped too.
 * `escapeSecrets(JSON.stringify(apps), 'json')`
 */
export function escapeSecrets(text: string, encoding: SecretEncoding): string {
  return replaceTokens(text, (id, form, token) => (form === 'raw' ? tokenOf(id, encoding) : token))
}

/** The reverse, for text of a host that a module has taken out of such escapes. */
export function unescapeSecrets(text: string, encoding: SecretEncoding): string {
  return replaceTokens(text, (id, form, token) => (form === encoding ? tokenOf(id, 'raw') : token))
}

/**
 * The same schema of a string, which also takes a secret: `orSecret(z.string().regex(/^[^\n]*$/))`. What comes out is a string, with a token
 * where the secret is. For params that end in the content of a file or on the standard input of a program.
 */
export function orSecret<S extends z.ZodType<string, string>>(schema: S) {
  return z
    .custom<string | Secret>(() => true)
    .meta({ title: 'string | secret', type: 'string' })
    .transform(value => (isSecret(value) ? String(value) : value))
    .pipe(schema)
}

/** Schema of any text, or a secret. */
export const SecretString = orSecret(z.string())
