import { SakError } from '../core/errors.ts'
import { printable } from '../core/terminal.ts'

/** How the script's user is reached from the login user. */
export interface Become {
  readonly user: string
  /** `runuser` where the login user is root already: it needs neither sudo nor a password. */
  readonly by: 'sudo' | 'runuser'
}

/** A command line for whatever login shell, and what it says on stderr while it gets to our `sh`. */
export interface Launch {
  readonly command: string
  /** The line that our `sh` prints before all else. */
  readonly ready: string
  /** What the script begins with, so that it prints that line; nothing where `sh` prints it before it is given the script. */
  readonly greeting: string
  /** What sudo prints when it wants the password; absent where sudo must not ask. */
  readonly prompt: string | undefined
}

/** Who runs the script, from who logs in; undefined where they are the same. */
export function becoming(
  loginUser: string,
  target: { become: boolean; becomeUser?: string | undefined },
): Become | undefined {
  const user = target.becomeUser ?? 'root'
  if (!target.become || user === loginUser) return undefined
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/.test(user)) {
    throw new SakError('invalid-inventory', `"${printable(user)}" is no user name that become can use`)
  }
  return { user, by: loginUser === 'root' ? 'runuser' : 'sudo' }
}

/**
 * Plain words, and one single-quoted string at most, which sh, bash, zsh, fish and csh read alike. A shell that fails may print
 * the command line itself, so neither the ready line nor the prompt stands in it as it is printed. Where sudo may ask for the
 * password, which comes by stdin too, a second `sh` tells when that is over.
 */
export function launch(become: Become | undefined, nonce: string, mayAsk: boolean): Launch {
  const ready = `sak-ready ${nonce}\n`
  if (become?.by === 'sudo' && mayAsk) {
    const inner = `'echo sak-ready "${nonce}" >&2; exec sh -s'`
    const command = `sudo -H -S -p sak-password%%${nonce}: -u ${become.user} -- sh -c ${inner}`
    return { command, ready, greeting: '', prompt: `sak-password%${nonce}:` }
  }
  const shell = `sh -s ${nonce}`
  return { command: `${reaching(become)}${shell}`, ready, greeting: 'echo "sak-ready $1" >&2\n', prompt: undefined }
}

function reaching(become: Become | undefined): string {
  if (become === undefined) return ''
  return become.by === 'runuser' ? `runuser -u ${become.user} -- ` : `sudo -H -n -u ${become.user} -- `
}

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /must have a tty|requiretty/i,
    'sudo wants a terminal: set `Defaults:USER !requiretty` in sudoers for the login user',
  ],
  [
    /not in the sudoers|not allowed to|may not run sudo/i,
    'allow the login user to run `sh` in sudoers, or log in as another user',
  ],
  [/unknown user|does not exist/i, 'the user to become does not exist on the host'],
  [
    /a password is required|terminal is required/i,
    'give the password with -K (--ask-become-pass), or allow NOPASSWD in sudoers',
  ],
  [
    /sudo.*(not found|unknown command)|unknown command.*sudo|no such file/i,
    'install sudo on the host, or log in as root',
  ],
]

/** Why our `sh` never got ready, from what was said instead. */
export function notReady(become: Become | undefined, said: string): SakError {
  if (become === undefined) {
    return new SakError('connect-failed', 'the host let us in, but ran something else than our shell', {
      said,
      hint: 'the account has a login shell such as nologin, or a ForceCommand: use an account that may run commands',
    })
  }
  const known = hints.find(([pattern]) => pattern.test(said))?.[1]
  return new SakError('become-failed', `could not become ${become.user} with ${become.by}`, {
    said,
    hint: known ?? `try \`${become.by} -u ${become.user} true\` on the host as the login user`,
  })
}

export function wrongPassword(user: string): SakError {
  return new SakError('become-failed', `sudo refused the password for becoming ${user}`, {
    hint: 'it was tried once only, so that nobody is locked out: check the password and run again',
  })
}
