import { type Command, escapeSecrets, run, type Step } from 'sak-reconcile'
import { isHashLocked, type Shadow } from './shadow.ts'

/** Takes `NAME:HASH` on standard input and refuses what is no hash: chpasswd would store a plain password as it is. */
const setHash = `read -r l; case \${l#*:} in
  '$'[0-9a-z]*'$'?*) printf '%s\\n' "$l" | chpasswd --encrypted ;;
  *) echo 'the secret is no hash of a password as crypt(5) has them'; exit 1 ;;
esac`

/** Sets the hash of an account, which comes on standard input. `before` is missing where the account is made in the same transaction. */
export function setPassword(name: string, hash: string, before: Shadow | undefined): Step {
  return run(['sh', '-c', setHash, 'sh', name], {
    title: `set the password of ${name} (chpasswd --encrypted)`,
    stdin: `${name}:${escapeSecrets(hash, 'line')}\n`,
    undo: before ? restorePassword(name, before) : [],
  })
}

/** Puts back what stood in the place of the password, whatever it was, and its date. */
export function restorePassword(name: string, { password, lastChange }: Shadow): readonly Command[] {
  return [
    { argv: ['chpasswd', '--encrypted'], stdin: `${name}:${password}\n` },
    { argv: ['chage', '--lastday', lastChange || '-1', name] },
  ]
}

/** Keeps everybody out, keys too: by the password, and by a date in the past. `hash`: whether a password was set just before. */
export function lock(name: string, before: Shadow | undefined, hash: boolean): Step {
  const hasPassword = hash || (before !== undefined && !/^[!*]/.test(before.password))
  return run(['usermod', '--expiredate', '1', ...(hasPassword ? ['--lock'] : []), name], {
    undo: undoLock(name, before),
  })
}

/** Lets an account in again, by the password that it had. */
export function unlock(name: string, before: Shadow | undefined, hash: boolean): Step {
  const hasPassword = !hash && before !== undefined && isHashLocked(before.password)
  return run(['usermod', '--expiredate', '', ...(hasPassword ? ['--unlock'] : []), name], {
    undo: undoLock(name, before),
  })
}

const undoLock = (name: string, before: Shadow | undefined): readonly Command[] =>
  before ? [{ argv: ['usermod', '--expiredate', before.expire, name] }, ...restorePassword(name, before)] : []
