import { shellGlob } from '../core/glob.ts'
import type { Read } from '../core/host.ts'
import { quote, quoteAll } from '../core/quote.ts'
import { durationMs } from '../core/units.ts'
import { hostShell, withEnvironment } from './host-shell.ts'

/** Most bytes of one file or of one command's output. More is an error, never a cut answer. */
export const readCap = 8 * 1024 * 1024
const stderrCap = 3000
/** Time for a command that states none: a loaded host is slow, and slow is not broken. */
export const defaultTimeout = '60s'

/*
 * The protocol, one record a line, every line beginning with a nonce that nothing else on the host can know; ID is that of the
 * read, or `-` for what several reads may share:
 *   N ID hit PATH              it is there: what it is stands in the shared records
 *   N ID absent|denied PATH    N ID link BASE64(target)   N ID done
 *   N - stat STAT PATH         N - real PATH TARGET      N - denied|large PATH
 *   N - all BASE64 PATH...     the contents of these files behind one another, in the sizes that their stats tell
 *   N - file PATH BASE64       one content
 *   N ID ran BASE64(stdout, newline, exit code) BASE64(stderr)   N ID denied-user|no-user   N end
 * Contents are base64, so that binary bytes, missing final newlines and escapes come through; what a login shell prints
 * around it has no nonce. A record or the end that is missing means a broken answer, never an empty file.
 *
 * A process costs more than all else here, so one stat looks at everything and one cat reads it; a second stat proves that
 * nothing was written in between (else each file is read by itself). Odd names, and files that have no size, go alone.
 */
const prelude = `
path() { case $1 in *[!A-Za-z0-9._/@+,=%-]*) printf '%s' "$1" | b64 ;; *) printf '=%s' "$1" ;; esac; }
# why a path is not seen: because it is not there, or because a directory above it may not be searched
missing() {
  d=$1
  while [ ! -e "$d" ] && [ -n "$d" ]; do d=\${d%/*}; done
  if [ -n "$d" ] && [ -d "$d" ] && [ ! -x "$d" ]; then why=denied; else why=absent; fi
}
all='' want=' '
# see ID content|stat PATH
see() {
  if [ ! -e "$3" ]; then missing "$3"; echo "$n $1 $why $(path "$3")"; return; fi
  case $3 in
    *[!A-Za-z0-9._/@+,=%-]*)
      p=$(path "$3"); echo "$n $1 hit $p"; echo "$n - stat $(stat -L -c "$attributes" -- "$3") $p"
      if [ "$2" = content ] && [ -f "$3" ]; then content "$3"; fi ;;
    *)
      echo "$n $1 hit =$3"; all="$all $3"
      if [ "$2" = content ]; then want="$want$3 "; fi ;;
  esac
}
# link ID PATH
link() {
  if [ -L "$2" ]; then echo "$n $1 link $(readlink -n -- "$2" | b64)"; return; fi
  why=absent; if [ ! -e "$2" ]; then missing "$2"; fi
  echo "$n $1 $why $(path "$2")"
}
attributes=%f:%U:%G:%s:%b:%B:%.9Y:%.9Z
content() {
  if [ -r "$1" ]; then echo "$n - file $(path "$1") $(head -c ${readCap + 1} <"$1" | b64)"; else echo "$n - denied $(path "$1")"; fi
}
# everything that was seen: one stat, one cat, and a second stat
settle() {
  set -f
  if [ -z "$all" ]; then return; fi
  alone='' together='' proof=''
  while IFS=: read -r f u g s b B y z p; do
    if [ -z "$p" ]; then continue; fi
    echo "$n - stat $f:$u:$g:$s:$b:$B:$y:$z =$p"
    if [ -L "$p" ]; then echo "$n - real =$p $(path "$(readlink -f -- "$p")")"; fi
    case $want in *" $p "*) ;; *) continue ;; esac
    case $f in 8???) ;; *) continue ;; esac
    case $p in /proc/* | /sys/*) alone="$alone $p"; continue ;; esac
    if [ ! -r "$p" ]; then echo "$n - denied =$p"
    elif [ "$s" -gt ${readCap} ]; then echo "$n - large =$p"
    elif [ "$s" -gt 0 ]; then together="$together $p" proof="$proof$f:$s:$z:$p
"
    fi
  done <<E
$(stat -L -c "$attributes:%n" -- $all 2>/dev/null)
E
  if [ -n "$together" ]; then
    c=$(cat -- $together 2>/dev/null | b64)
    if [ "$(stat -L -c '%f:%s:%.9Z:%n' -- $together 2>/dev/null)
" = "$proof" ]; then echo "$n - all $c$together"; else alone="$alone$together"; fi
  fi
  for p in $alone; do content "$p"; done
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
  const quickFunction = `quick() {\n${quick.join('')}settle\n}\n`
  const chain = ['quick', ...commands.map(id => `{ x=$(command_${id}); cat; printf '%s\\n' "$x"; }`)].join(' |\n')
  return `sak() {\nn=${quote(nonce)}\n${hostShell}${prelude}${quickFunction}${functions}echo\n${chain}\necho "$n end"\n}\nsak\n`
}

function quickRead(read: Exclude<Read, { kind: 'command' }>, id: number): string {
  switch (read.kind) {
    case 'file':
      return `see ${id} content ${quote(read.path)}; echo "$n ${id} done"\n`
    case 'stat':
      return `see ${id} stat ${quote(read.path)}; echo "$n ${id} done"\n`
    case 'link':
      return `link ${id} ${quote(read.path)}; echo "$n ${id} done"\n`
    case 'files': {
      const listed = read.globs.filter(glob => /[*?[]/.test(glob)).map(glob => `listable ${id} ${quote(glob)}\n`)
      const found = `if [ -f "$p" ]; then see ${id} content "$p"; elif [ ! -e "$p" ]; then`
      const denied = `missing "$p"; if [ $why = denied ]; then echo "$n ${id} denied $(path "$p")"; fi; fi`
      return `${listed.join('')}for p in ${read.globs.map(shellGlob).join(' ')}; do ${found} ${denied}; done; echo "$n ${id} done"\n`
    }
  }
}

function commandFunction(read: Read | undefined, id: number): string {
  if (read?.kind !== 'command') return ''
  const { as = '', stdin, env = {}, timeout = defaultTimeout } = read.options
  const seconds = durationMs(timeout) / 1000
  const { words, whole } = withEnvironment(quoteAll(read.argv), env)
  const call = `as_user ${quote(as)} timeout -k 2 ${seconds} ${words}`
  const body = stdin === undefined ? whole(`${call} </dev/null`) : `printf %s ${quote(stdin)} | ${whole(call)}`
  return `run_${id}() { ${body}; }
command_${id}() { may ${id} ${quote(as)} && ran ${id} run_${id}; echo "$n ${id} done"; }\n`
}
