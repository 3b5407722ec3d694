import { readFile } from 'node:fs/promises'
import type { ParsedKey } from 'ssh2'
import { fingerprint } from './known-hosts.ts'

/** A private key file: its key, or why there is none. */
export type KeyFile =
  | { readonly kind: 'key'; readonly path: string; readonly key: ParsedKey }
  /** `publicKey` in SSH's wire form, where the file tells it without the passphrase. */
  | { readonly kind: 'encrypted'; readonly path: string; readonly text: string; readonly publicKey: Buffer | undefined }
  /** Only its public half is here: an agent may hold the other. */
  | { readonly kind: 'public'; readonly path: string; readonly publicKey: Buffer }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'unusable'; readonly path: string; readonly why: string }

export async function readKeyFile(path: string): Promise<KeyFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    if (!missing) return { kind: 'unusable', path, why: 'it cannot be read' }
    const publicKey = await besides(path)
    return publicKey.length > 0 ? { kind: 'public', path, publicKey } : { kind: 'missing', path }
  }
  const { utils } = (await import('ssh2')).default
  const key = firstKey(utils.parseKey(text))
  if (!(key instanceof Error)) {
    return key.isPrivateKey() ? { kind: 'key', path, key } : { kind: 'public', path, publicKey: key.getPublicSSH() }
  }
  if (/encrypted|passphrase/i.test(key.message))
    return { kind: 'encrypted', path, text, publicKey: await publicKeyOf(path, text) }
  return { kind: 'unusable', path, why: key.message }
}

/** The key of an encrypted file, `undefined` where the passphrase is wrong. */
export async function decryptKey(text: string, passphrase: string): Promise<ParsedKey | undefined> {
  const { utils } = (await import('ssh2')).default
  const key = firstKey(utils.parseKey(text, passphrase))
  return key instanceof Error ? undefined : key
}

/** ssh2 types one key, and gives an array for OpenSSH's newer format. */
function firstKey(parsed: ParsedKey | Error | readonly ParsedKey[]): ParsedKey | Error {
  if (parsed instanceof Error || isParsedKey(parsed)) return parsed
  return parsed[0] ?? new Error('the file holds no key')
}

export function isParsedKey(key: unknown): key is ParsedKey {
  return typeof key === 'object' && key !== null && 'getPublicSSH' in key && 'type' in key
}

/** OpenSSH's format keeps the public key in the clear; for others the .pub file beside it tells. */
async function publicKeyOf(path: string, text: string): Promise<Buffer | undefined> {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text)?.[1]
  if (body !== undefined) return publicPart(Buffer.from(body, 'base64'))
  return await besides(path)
}

/** The key of the .pub file beside a private key's; empty where there is none. */
async function besides(path: string): Promise<Buffer> {
  const line = await readFile(`${path}.pub`, 'utf8').catch(() => '')
  return Buffer.from(line.split(/\s+/)[1] ?? '', 'base64')
}

/** "openssh-key-v1\0", then cipher, kdf and its options as strings, the number of keys, and the first public key. */
function publicPart(blob: Buffer): Buffer | undefined {
  const string = (at: number) => (at + 4 <= blob.length ? at + 4 + blob.readUInt32BE(at) : blob.length)
  const start = string(string(string(15))) + 4
  return start + 4 <= blob.length ? blob.subarray(start + 4, string(start)) : undefined
}

export function describeKey(key: ParsedKey): string {
  return `${key.type} ${fingerprint(key.getPublicSSH())}`
}

export function sameKey(key: ParsedKey, publicKey: Buffer | undefined): boolean {
  return publicKey !== undefined && key.getPublicSSH().equals(publicKey)
}
