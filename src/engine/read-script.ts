import { shellGlob } from '../core/glob.ts'
import type { Read } from '../core/host.ts'
import { quote, quoteAll } from '../core/quote.ts'
import { durationMs } from '../core/units.ts'
import { cleanShell, terse, userShell, withEnvironment } from './host-shell.ts'

/** Most bytes of one file or of one command's output. More is an error, never a cut answer. */
export const readCap = 8 * 1024 * 1024
const stderrCap = 3000
/** Paths that one `stat` looks at: of more, sh needs a time that grows with their square, and the kernel takes only so many arguments. */
const atOnce = 200
/** Time for a command that states none: a loaded host is slow, and slow is not broken. */
export const defaultTimeout = '60s'

/*
 * The protocol, one record a line, every line beginning with a nonce that nothing else on the host can know; ID is that of the
 * read, or `-` for what is told of a path, whichever reads ask for it:
 *   N - stat STAT:PATH         N - absent|closed PATH (`closed`: a directory above may not be searched)
 *   N - link PATH BASE64(target)   N - real PATH TARGET   N - denied|large PATH (why there is no content)
 *   N - files PATH... BODY     contents behind one another, in the sizes that their stats tell
 *   N - file PATH BODY         one content, of whatever size
 *   N - whole|torn             after a body: whether it counts
 *   N ID hit|closed PATH       what a glob finds, or the directory that may not be searched
 *   N ID ran BASE64(stdout, newline, exit code) BODY(stderr)   N ID denied-user|no-user   N ID done   N end
 * A BODY is bytes as they are, from the next line to the next newline with a nonce behind it. So binary bytes, missing final
 * newlines and escapes come through, and what a login shell prints around it all has no nonce. A record or the end that is
 * missing means a broken answer, never an empty file. The nonce is in no program's arguments, where all on the host could read it and
 * have a file of theirs answer for another.
 *
 * A process costs more than all else here, so one stat looks at everything and one cat reads it; a second stat proves that
 * nothing was written in between (else each file is read by itself). Odd names, and files that have no size, go alone.
 */
const pathShell = terse(`
# word PATH: sets $w to what stands for it in a record
word() { case $1 in *[!A-Za-z0-9._/@+,=%-]*) w=$(printf '%s' "$1" | base64 -w0) ;; *) w="=$1" ;; esac; }
# why a path is not seen: because it is not there, or because a directory above it may not be searched
missing() {
  d=$1
  while [ ! -e "$d" ] && [ -n "$d" ]; do d=\${d%/*}; done
  if [ -n "$d" ] && [ -d "$d" ] && [ ! -x "$d" ]; then why=closed; else why=absent; fi
}
real() { if [ -L "$1" ]; then word "$1"; r=$w; word "$(readlink -f -- "$1")"; echo "$n - real $r $w"; fi; }
links() { for p do if [ -L "$p" ]; then word "$p"; echo "$n - link $w $(readlink -n -- "$p" | base64 -w0)"; fi; done; }
attributes=%f:%U:%G:%s:%b:%B:%.9Y:%.9Z
contents='' stats='' some=0
# see content|stat PATH...
see() {
  what=$1; shift
  for p do
    if [ ! -e "$p" ]; then missing "$p"; word "$p"; echo "$n - $why $w"; continue; fi
    case $p in
      *[!A-Za-z0-9._/@+,=%-]*)
        word "$p"; printf '%s - stat %s\\n' "$n" "$(stat -L -c "$attributes" -- "$p"):$w"; real "$p"
        if [ $what = content ] && [ -f "$p" ]; then alone "$p"; fi ;;
      *)
        if [ $what = content ]; then contents="$contents $p"; else stats="$stats $p"; fi
        some=$((some + 1))
        if [ $some -ge ${atOnce} ]; then settle; fi ;;
    esac
  done
}
alone() {
  word "$1"
  if [ ! -r "$1" ]; then echo "$n - denied $w"; return; fi
  echo "$n - file $w"
  if head -c ${readCap + 1} <"$1"; then is=whole; else is=torn; fi
  printf '\\n%s - %s\\n' "$n" $is
}
# what was seen since the last time: one stat, one cat, and a second stat; a dot stands before what is not to be read
settle() {
  if [ $some -eq 0 ]; then return; fi
  set -f
  lines=$(stat -L -c "$attributes:=%n" -- $contents . $stats 2>/dev/null)
  single='' together='' proof='' behind=''
  IFS='
'
  for line in $lines; do
    printf '%s - stat %s\\n' "$n" "$line"
    IFS=:
    set -- $line
    f=$1 s=$4 z=$8 p=\${9#=}
    real "$p"
    if [ "$p" = . ]; then behind=dot; fi
    case $behind$f in 8???) ;; *) continue ;; esac
    case $p in /proc/* | /sys/*) single="$single $p"; continue ;; esac
    if [ ! -r "$p" ]; then echo "$n - denied =$p"
    elif [ "$s" -gt ${readCap} ]; then echo "$n - large =$p"
    elif [ "$s" -gt 0 ]; then together="$together $p" proof="$proof$f:$s:$z:$p
"
    fi
  done
  unset IFS
  if [ -n "$together" ]; then
    echo "$n - files$together"
    if cat -- $together 2>/dev/null && [ "$(stat -L -c '%f:%s:%.9Z:%n' -- $together 2>/dev/null)
" = "$proof" ]; then is=whole; else is=torn; single="$single$together"; fi
    printf '\\n%s - %s\\n' "$n" $is
  fi
  for p in $single; do alone "$p"; done
  contents='' stats='' some=0
  set +f
}
# found ID: what the glob of a read came upon, in $p
found() {
  if [ -f "$p" ]; then
    word "$p"; echo "$n $1 hit $w"
    case "$contents " in *" $p "*) ;; *) see content "$p" ;; esac
  elif [ ! -e "$p" ]; then
    missing "$p"
    if [ $why = closed ]; then word "$d"; echo "$n $1 closed $w"; fi
  fi
}
# a glob that matches nothing because its directory may not be listed is not empty
listable() {
  d=\${2%%[*?[]*}; d=\${d%/*}
  if [ -d "$d" ] && { [ ! -r "$d" ] || [ ! -x "$d" ]; }; then word "$d"; echo "$n $1 closed $w"; fi
}
`)

const commandShell = terse(`${userShell}
may() {
  if [ -n "$2" ] && [ "$2" != "$me" ]; then
    if ! id -u -- "$2" >/dev/null 2>&1; then echo "$n $1 no-user"; return 1; fi
    if [ "$me" != root ]; then echo "$n $1 denied-user"; return 1; fi
  fi
}
# standard output with the exit code behind it, then standard error, which \`tail\` gives when all is over
ran() {
  {
    {
      o=$({ "$2" 2>&7 7>&- 8>&-; printf '\\n%s' $?; } | head -c ${readCap + 8} | base64 -w0)
      printf '%s %s ran %s\\n' "$n" "$1" "$o" >&8
    } 7>&1 >/dev/null | tail -c ${stderrCap} >&8
  } 8>&1
  echo
}
`)

/**
 * The script that answers reads: one function, called on the last line, so that a script cut on its way does nothing.
 * The commands among the reads run side by side and leave no files; what they gave is printed one after the other.
 */
export function readScript(reads: readonly Read[], nonce: string): string {
  const commands = reads.flatMap((read, id) => (read.kind === 'command' ? [{ id, read }] : []))
  const shell = `${cleanShell}${commands.length > 0 ? commandShell : ''}${pathShell}`
  const functions = commands.map(({ id, read }) => commandFunction(read, id)).join('')
  const chain = ['quick 6>&1 >&5', ...commands.map(({ id }) => turn(id))].join(' |\n')
  const quick = `quick() {\n${pathReads(reads)}settle\n}\n`
  return `sak() {\nn=${quote(nonce)}\n${shell}${quick}${functions}echo\n{\n${chain}\n} 5>&1\necho "$n end"\n}\nsak\n`
}

/** Each path is seen once, however many reads ask for it, and read where one of them wants its content. */
function pathReads(reads: readonly Read[]): string {
  const pathsOf = (kind: Read['kind']) =>
    reads.flatMap(read => ('path' in read && read.kind === kind ? [read.path] : []))
  const contents = new Set(pathsOf('file'))
  const links = pathsOf('link')
  const stats = new Set([...pathsOf('stat'), ...links].filter(path => !contents.has(path)))
  const globs = reads.map((read, id) => (read.kind === 'files' ? globReads(read.globs, id) : ''))
  return `${call('see content', contents)}${call('see stat', stats)}${call('links', links)}${globs.join('')}`
}

const call = (name: string, paths: Iterable<string>) => `${name} ${quoteAll([...paths])}\n`

function globReads(globs: readonly string[], id: number): string {
  const listed = globs.filter(glob => /[*?[]/.test(glob)).map(glob => `listable ${id} ${quote(glob)}\n`)
  return `${listed.join('')}for p in ${globs.map(shellGlob).join(' ')}; do found ${id}; done; echo "$n ${id} done"\n`
}

function commandFunction({ argv, options }: Extract<Read, { kind: 'command' }>, id: number): string {
  const { as = '', stdin, env = {}, timeout = defaultTimeout } = options
  const seconds = durationMs(timeout) / 1000
  const { words, whole } = withEnvironment(quoteAll(argv), env)
  const run = `as_user ${quote(as)} timeout -k 2 ${seconds} ${words}`
  const body = stdin === undefined ? whole(`${run} </dev/null`) : `printf %s ${quote(stdin)} | ${whole(run)}`
  return `run_${id}() { ${body}; }
command_${id}() { may ${id} ${quote(as)} && ran ${id} run_${id}; echo "$n ${id} done"; }\n`
}

/** A command at work. What it gave is printed, whole, once the pipe from the one before it ends: nothing but the end goes through. */
const turn = (id: number) => `{ x=$(command_${id} 5>&-); read -r _; printf '%s\\n' "$x" >&5; }`
