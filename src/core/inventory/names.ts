import { isIPv6 } from 'node:net'
import { SakError } from '../errors.ts'

/** What host patterns, reports and file names could not carry. */
const forbidden = /[\s\p{Cc}*?[\]!&~,;/\\'"`|<>(){}$=]/u

/** Gives the name of a host or group back, or throws SakError 'invalid-inventory' when it cannot be one. */
export function checkName(what: 'host' | 'group', name: string, at: string): string {
  const refuse = (why: string, hint: string) =>
    new SakError('invalid-inventory', `${at}: ${JSON.stringify(name)} cannot name a ${what}: ${why}`, { hint })
  if (name === '') throw refuse('it is empty', `Give the ${what} a name.`)
  if (name.startsWith('-')) throw refuse('it starts with "-"', 'Begin it with a letter or a digit.')
  if (name === '.' || name === '..') throw refuse('it names a directory', 'Begin it with a letter or a digit.')
  const bad = forbidden.exec(name)?.[0]
  if (bad !== undefined) throw refuse(`it contains ${JSON.stringify(bad)}`, 'Use letters, digits, "_", "-" and ".".')
  if (name.includes('@')) throw refuse('it contains "@"', 'Give the login user by ansible_user, user or --user.')
  if (name.includes(':') && !(what === 'host' && isIPv6(name))) {
    throw refuse('it contains ":" and is not an IPv6 address', 'Write host:port, or [IPv6]:port.')
  }
  return name
}
