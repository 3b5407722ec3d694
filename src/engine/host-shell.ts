import { quote } from '../core/quote.ts'

/**
 * The same shell without what only its readers need, because all of it goes over the wire each time. For shell without a
 * text that has a line which is empty, or begins with a blank or #.
 */
export const terse = (shell: string): string => shell.replaceAll(/^\s*(#.*\n\s*)*/gm, '')

/** What every script on a host begins with: a clean environment, and no folder that somebody may want to unmount. */
export const cleanShell = `
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /
`

/** Who we are (told to a script of ours as its third word), and how to run something as another user. It takes a process. */
export const userShell = `
me=\${3:-$(id -un)}
# with the usual umask: what programs make for themselves is not for our eyes only
as_user() (
  umask 022
  u=$1; shift
  if [ -z "$u" ] || [ "$u" = "$me" ]; then
    env -i PATH="$PATH" HOME="\${HOME:-/}" USER="$me" LOGNAME="$me" LC_ALL=C.UTF-8 "$@"
  else
    IFS=: read -r _ _ _ _ _ h _ <<E
$(getent passwd "$u")
E
    runuser -u "$u" -- env -i PATH="$PATH" HOME="$h" USER="$u" LOGNAME="$u" LC_ALL=C.UTF-8 "$@"
  fi
)
`

/** What every script that changes a host begins with: where its journals lie, too. */
export const hostShell = terse(`${cleanShell}${userShell}
if [ "$me" = root ]; then base=/var/lib/sak-reconcile; else base=\${HOME:-/nonexistent}/.local/state/sak-reconcile; fi
b64() { base64 -w0; }
`)

/** Words of a command line, and what must stand around it. */
export interface CommandLine {
  readonly words: string
  /** Makes a whole command of a call of these words. */
  readonly whole: (call: string) => string
}

/**
 * A command line with more environment, which comes by a pipe: in an argument of `env` everybody on the host could read it.
 * @throws TypeError for a name that no variable can have
 */
export function withEnvironment(words: string, env: Readonly<Record<string, string>>): CommandLine {
  const variables = Object.entries(env)
  const wrong = variables.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (wrong) throw new TypeError(`no environment variable can be called ${JSON.stringify(wrong[0])}`)
  if (variables.length === 0) return { words, whole: call => call }
  const text = variables.map(([name, value]) => `export ${name}=${quote(value)}`).join('\n')
  let end = 'SAK_ENV'
  while (text.includes(end)) end += '_'
  return {
    words: `sh -c 'eval "$(cat <&3)"; exec "$@" 3<&-' sh ${words}`,
    whole: call => `{\n${call} 3<<'${end}'\n${text}\n${end}\n}`,
  }
}
