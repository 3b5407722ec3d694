import type { Read } from '../core/host.ts'
import { quote, quoteAll } from '../core/quote.ts'
import { durationMs } from '../core/units.ts'
import { hostShell } from './host-shell.ts'

/** Most bytes of one file or of one command's output. More is an error, never a cut answer. */
export const readCap = 8 * 1024 * 1024
const stderrCap = 3000

/*
 * The protocol, one record a line, every line beginning with a nonce that nothing else on the host can know:
 *   N ID file PATH STAT REALPATH BASE64   N ID absent|denied|other|large PATH   N ID stat PATH STAT REALPATH
 *   N ID ran BASE64(stdout, newline, exit code) BASE64(stderr)   N ID denied-user|no-user   N ID done   N end
 * Contents are base64, so that binary bytes, missing final newlines and escapes come through; what a login shell prints
 * around it has no nonce. A record or the end that is missing means a broken answer, never an empty file.
 */
const prelude = `
path() { case $1 in *[!A-Za-z0-9._/@+,:=%-]*) printf '%s' "$1" | b64 ;; *) printf '=%s' "$1" ;; esac; }
# why a path is not seen: because it is not there, or because a directory above it may not be searched
missing() {
  d=$1
  while [ ! -e "$d" ] && [ -n "$d" ]; do d=\${d%/*}; done
  if [ -n "$d" ] && [ -d "$d" ] && [ ! -x "$d" ]; then echo denied; else echo absent; fi
}
real() { if [ -L "$1" ]; then path "$(readlink -f -- "$1")"; else printf -; fi; }
attributes() { stat -L -c '%f:%U:%G:%s:%b:%B:%.9Y:%.9Z' -- "$1" 2>/dev/null || echo -; }
read_stat() {
  if [ -e "$2" ]; then echo "$n $1 stat $(path "$2") $(attributes "$2") $(real "$2")"; else echo "$n $1 $(missing "$2") $(path "$2")"; fi
}
read_file() {
  if [ ! -e "$2" ]; then echo "$n $1 $(missing "$2") $(path "$2")"; return; fi
  if [ ! -f "$2" ]; then echo "$n $1 other $(path "$2")"; return; fi
  if [ ! -r "$2" ]; then echo "$n $1 denied $(path "$2")"; return; fi
  s=$(attributes "$2"); z=\${s#*:*:*:}; z=\${z%%:*}
  if [ "$z" = - ] || [ "$z" -gt ${readCap} ]; then echo "$n $1 large $(path "$2")"; return; fi
  printf '%s %s file %s %s %s ' "$n" "$1" "$(path "$2")" "$s" "$(real "$2")"
  if [ "$z" -gt 0 ]; then base64 -w0 <"$2"; else head -c ${readCap + 1} <"$2" | b64; fi
  echo
}
# a glob that matches nothing because its directory may not be listed is not empty
listable() {
  d=\${2%%[*?[]*}; d=\${d%/*}
  if [ -d "$d" ] && { [ ! -r "$d" ] || [ ! -x "$d" ]; }; then echo "$n $1 denied $(path "$d")"; fi
}
may() {
  if [ -n "$2" ] && [ "$2" != "$me" ]; then
    if ! id -u -- "$2" >/dev/null 2>&1; then echo "$n $1 no-user"; return 1; fi
    if [ "$me" != root ]; then echo "$n $1 denied-user"; return 1; fi
  fi
}
# standard output with the exit code behind it, then standard error: one line, printed when both are complete
ran() {
  printf '%s %s ran ' "$n" "$1"
  { { o=$({ "$2" 2>&7 7>&- 8>&-; printf '\\n%s' $?; } | head -c ${readCap + 8} | b64); printf '%s ' "$o" >&8; } 7>&1 >/dev/null | tail -c ${stderrCap} | b64 >&8; } 8>&1
  echo
}
`

/**
 * The script that answers reads: one function, called on the last line, so that a script cut on its way does nothing.
 * The commands among the reads run side by side, chained by pipes and without leaving files.
 */
export function readScript(reads: readonly Read[], nonce: string): string {
  const commands: number[] = []
  const quick: string[] = []
  reads.forEach((read, id) => {
    if (read.kind === 'command') commands.push(id)
    else quick.push(quickRead(read, id))
  })
  const functions = commands.map(id => commandFunction(reads[id], id)).join('')
  const quickFunction = `quick() {\n:\n${quick.join('')}}\n`
  const chain = ['quick', ...commands.map(id => `{ x=$(command_${id}); cat; printf '%s\\n' "$x"; }`)].join(' |\n')
  return `sak() {\nn=${quote(nonce)}\n${hostShell}${prelude}${quickFunction}${functions}echo\n${chain}\necho "$n end"\n}\nsak\n`
}

function quickRead(read: Exclude<Read, { kind: 'command' }>, id: number): string {
  switch (read.kind) {
    case 'file':
      return `read_file ${id} ${quote(read.path)}; echo "$n ${id} done"\n`
    case 'stat':
      return `read_stat ${id} ${quote(read.path)}; echo "$n ${id} done"\n`
    case 'files': {
      const globs = read.globs.map(globPattern)
      const listed = read.globs.filter(glob => /[*?[]/.test(glob)).map(glob => `listable ${id} ${quote(glob)}\n`)
      const body = `if [ -f "$p" ]; then read_file ${id} "$p"; elif [ -L "$p" ] || [ -e "$p" ]; then :; else case $(missing "$p") in denied) echo "$n ${id} denied $(path "$p")" ;; esac; fi`
      return `${listed.join('')}for p in ${globs.join(' ')}; do ${body}; done; echo "$n ${id} done"\n`
    }
  }
}

/** A glob for sh: everything quoted but its `*`, `?` and `[...]`. */
function globPattern(glob: string): string {
  return glob
    .split(/(\*|\?|\[[^\]]*\])/)
    .map((part, index) => (index % 2 === 1 ? part : part === '' ? '' : quote(part)))
    .join('')
}

function commandFunction(read: Read | undefined, id: number): string {
  if (read?.kind !== 'command') return ''
  const { as = '', stdin, env = {}, timeout = '20s' } = read.options
  const seconds = durationMs(timeout) / 1000
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const argv = quoteAll([...(variables.length > 0 ? ['env', ...variables] : []), ...read.argv])
  const call = `as_user ${quote(as)} timeout -k 2 ${seconds} ${argv}`
  const body = stdin === undefined ? `${call} </dev/null` : `printf %s ${quote(stdin)} | ${call}`
  return `run_${id}() { ${body}; }
command_${id}() { may ${id} ${quote(as)} && ran ${id} run_${id}; echo "$n ${id} done"; }\n`
}
