import type { Host } from 'sak-reconcile'

/** A line of /etc/shadow. Days are counted from 1970; empty fields are as they stand there. */
export interface Shadow {
  readonly password: string
  readonly lastChange: string
  readonly min: string
  readonly max: string
  readonly warn: string
  readonly inactive: string
  readonly expire: string
  /** Whether `expire` has come. */
  readonly expired: boolean
}

/** Reads an account's line, which only root may see, and the host's date. */
export async function readShadow(host: Host, name: string): Promise<Shadow | undefined> {
  const [line, now] = await Promise.all([
    host.command(['getent', 'shadow', name], { as: 'root' }),
    host.command(['date', '+%s']),
  ])
  return parseShadow(line.stdout, name, Math.floor(Number(now.stdout) / 86_400))
}

/** `today` in days from 1970. */
export function parseShadow(text: string, name: string, today: number): Shadow | undefined {
  const fields = text.split('\n').map(line => line.split(':'))
  const found = fields.find(([first]) => first === name)
  if (!found) return undefined
  const [, password = '', lastChange = '', min = '', max = '', warn = '', inactive = '', expire = ''] = found
  const expired = expire !== '' && Number(expire) <= today
  return { password, lastChange, min, max, warn, inactive, expire, expired }
}

/** What keeps everybody out: a lock of the password lets keys in, and a date in the past lets nobody in. */
export type Lock = 'yes' | 'no' | 'only its password' | 'only by its date'

export function lockOf({ password, expired }: Shadow): Lock {
  const isUsable = !/^[!*]/.test(password)
  if (expired) return isUsable ? 'only by its date' : 'yes'
  return isHashLocked(password) ? 'only its password' : 'no'
}

/** Whether there is a password behind the lock: `!` or `*` alone is none, and nothing that could be unlocked. */
export const isHashLocked = (password: string): boolean => /^!+[^!*]/.test(password)

/** The hash without its lock; empty where there is none. */
export const hashOf = (password: string): string => password.replace(/^[!*]+/, '')
