import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { ServerHostKeyAlgorithm } from 'ssh2'

/** One line of a known_hosts file that could be read. */
export interface KnownHost {
  readonly file: string
  readonly line: number
  readonly marker: 'revoked' | 'cert-authority' | undefined
  /** The first field, as it stands: patterns, or one hashed name. */
  readonly hosts: string
  readonly type: string
  readonly key: Buffer
}

export type Verdict =
  | { readonly kind: 'known'; readonly entry: KnownHost }
  | { readonly kind: 'changed'; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  /** `authority` is a @cert-authority line for the host: certificates are not judged. */
  | { readonly kind: 'unknown'; readonly authority: KnownHost | undefined }

/** The lines of a known_hosts file that mean something; others are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => parseLine(line.trim(), file, index + 1) ?? [])
}

function parseLine(text: string, file: string, line: number): KnownHost | undefined {
  if (text === '' || text.startsWith('#')) return undefined
  const fields = text.split(/[ \t]+/)
  const first = fields[0] ?? ''
  const marker = first === '@revoked' ? 'revoked' : first === '@cert-authority' ? 'cert-authority' : undefined
  if (marker !== undefined) fields.shift()
  else if (first.startsWith('@')) return undefined
  const [hosts, type, encoded] = fields
  if (hosts === undefined || type === undefined || encoded === undefined) return undefined
  const key = Buffer.from(encoded, 'base64')
  if (keyType(key) !== type) return undefined
  return { file, line, marker, hosts, type, key }
}

/** The type that a public key in SSH's wire form names, `undefined` where it is none. */
export function keyType(key: Buffer): string | undefined {
  if (key.length < 4) return undefined
  const length = key.readUInt32BE(0)
  return length > 0 && length < 64 && key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : undefined
}

/** As ssh writes and looks up a host: lower case, with the port where it is not 22. */
export function hostKeyName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

/** Whether the first field of a line names this host. */
export function namesHost(hosts: string, name: string): boolean {
  return hosts.startsWith('|') ? matchesHash(hosts, name) : matchesPatterns(hosts.toLowerCase().split(','), name)
}

function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|')
  if (version !== '1' || salt === undefined || hash === undefined) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

/** ssh's pattern lists: one match is enough, and a negated match ends it. */
export function matchesPatterns(patterns: readonly string[], name: string): boolean {
  let found = false
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!')
    if (!matchesGlob(negated ? pattern.slice(1) : pattern, name)) continue
    if (negated) return false
    found = true
  }
  return found
}

/** `*` and `?` only, in time that no pattern can blow up. */
function matchesGlob(pattern: string, text: string): boolean {
  let star = -1
  let resume = 0
  let at = 0
  for (let i = 0; i < text.length; ) {
    if (pattern[at] === '*') {
      star = at++
      resume = i
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[i])) {
      at++
      i++
    } else if (star >= 0) {
      at = star + 1
      i = ++resume
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

/**
 * What the files say about a key that a host shows. A host that is known by keys of other types only counts as changed:
 * ssh was offered the known types first, so the host no longer has them.
 */
export function judge(entries: readonly KnownHost[], name: string, key: Buffer): Verdict {
  const named = entries.filter(entry => namesHost(entry.hosts, name))
  const same = named.filter(entry => entry.key.equals(key))
  const revoked = same.find(entry => entry.marker === 'revoked')
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked }
  const known = same.find(entry => entry.marker === undefined)
  if (known !== undefined) return { kind: 'known', entry: known }
  const plain = named.filter(entry => entry.marker === undefined)
  const other = plain.find(entry => entry.type === keyType(key)) ?? plain[0]
  if (other !== undefined) return { kind: 'changed', entry: other }
  return { kind: 'unknown', authority: named.find(entry => entry.marker === 'cert-authority') }
}

/** The host key algorithms to offer, those of the known keys first. SHA-1 signatures are not offered, as by ssh itself. */
export function hostKeyAlgorithms(entries: readonly KnownHost[], name: string): ServerHostKeyAlgorithm[] {
  const known = entries
    .filter(entry => entry.marker === undefined && namesHost(entry.hosts, name))
    .map(entry => entry.type)
  const preferred = algorithms.filter(([type]) => known.includes(type))
  const others = algorithms.filter(([type]) => !known.includes(type))
  return [...preferred, ...others].flatMap(([, names]) => names)
}

const algorithms: readonly (readonly [string, readonly ServerHostKeyAlgorithm[]])[] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The line that makes a key known. */
export function knownHostsLine(name: string, key: Buffer, hashed: boolean): string {
  return `${hashed ? hashName(name) : name} ${keyType(key)} ${key.toString('base64')}`
}

function hashName(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}
