/** What runs on the host in `sh`: to see a unit and the files that it follows, and to know later what it was started with. */
import type { Systemd } from 'sak-reconcile'

/** A script with its name and arguments; it travels on stdin, so that plans show the name and not the text. */
export interface Script {
  readonly argv: readonly string[]
  readonly stdin: string
}

/** All in braces: nothing runs before the whole has come. */
function script(name: string, body: string, args: readonly string[]): Script {
  return { argv: ['sh', '-s', name, ...args], stdin: `{ shift\n${body.trim()}\n}\n` }
}

/** `ctl` is the systemctl of the unit's systemd, by root or by the user themselves; `words` says what a unit said last. */
function functions({ owner }: Systemd, hands: 'root' | 'own'): string {
  if (!owner) {
    return `ctl() { systemctl "$@"; }
words() { journalctl -q --no-pager -o cat -n 10 -u "$1" 2>/dev/null; }`
  }
  const home = `XDG_RUNTIME_DIR=/run/user/${owner.uid}`
  const as = hands === 'root' ? `runuser -u ${owner.user} -- env ` : ''
  return `ctl() { ${as}${home} systemctl --user "$@"; }
words() { journalctl -q --no-pager -o cat -n 10 _UID=${owner.uid} _SYSTEMD_USER_UNIT="$1" 2>/dev/null; }`
}

const properties = [
  'Id,LoadState,LoadError,ActiveState,SubState,UnitFileState,FragmentPath,NeedDaemonReload,InvocationID',
  'CanStart,CanStop,CanReload,Type,RemainAfterExit,MainPID,NRestarts,Result,ReloadResult,ConditionResult,ExecReload',
  'StateChangeTimestamp,StateChangeTimestampMonotonic,InactiveExitTimestamp,ActiveEnterTimestamp,ExecMainStartTimestamp',
].join(',')

/**
 * What systemd and the kernel know of a unit. `generated`: a generator has it started at each boot. `self` is this shell's own start, which is now, and `main` that of the main process,
 * in ticks since boot: the difference tells when that started, whatever became of the clock since.
 */
export function observe(systemd: Systemd, unit: string): Script {
  const body = `
${functions(systemd, 'own')}
unit=$1
date +now=%s.%N
read -r line </proc/$$/stat; set -- \${line##*) }; echo "self=\${20}"
show() { TZ=UTC ctl show "$@" -p ${properties} -- "$unit"; }
# before systemd 248 in whole seconds
said=$(show --timestamp=us+utc 2>/dev/null) || said=$(show) || exit
printf '%s\\n' "$said"
for link in /run/systemd/generator*/*.wants/"$unit" /run/systemd/generator*/*.requires/"$unit"; do
  if [ -L "$link" ]; then echo generated=yes; break; fi
done
pid=$(printf '%s\\n' "$said" | sed -n 's/^MainPID=//p')
if [ "\${pid:-0}" != 0 ]; then
  if { read -r line <"/proc/$pid/stat"; } 2>/dev/null; then set -- \${line##*) }; echo "main=\${20}"
  elif [ ! -r /proc/1/stat ]; then echo main=hidden; fi # else it has just ended
fi
exit 0`
  return script('observe-unit', body, [unit])
}

/**
 * The last change at a path or below it, links on the way and what they lead to included: `newest SECONDS PATH`. Where nothing is,
 * that of the directory in which something may have been. `target PATH` is each place that a link leads out to.
 */
export const lastChange = (path: string): Script =>
  script(
    'last-change',
    `
walk() {
  [ "$2" -lt 20 ] || return 0
  set -- "$1" "$2" "$1"
  while [ -n "$3" ]; do
    if [ -L "$3" ]; then
      printf '%s\\n' "$3"
      t=$(readlink -- "$3"); case $t in /*) ;; *) t=\${3%/*}/$t ;; esac
      walk "$t" $(($2 + 1))
    fi
    set -- "$1" "$2" "\${3%/*}"
  done
}
p=$1 here=
if ! stat -L -- "$p" >/dev/null; then
  here=yes
  while [ -n "$p" ] && [ ! -e "$p" ]; do p=\${p%/*}; done
fi
p=\${p:-/}
{
  walk "$1" 0 | while IFS= read -r l; do find "$l" -maxdepth 0 -printf '%C@ %p\\n'; done
  if [ -z "$here" ]; then find "$p" -type l -printf '%C@ %p\\n'; fi
  find -L "$p" \${here:+-maxdepth 0} -printf '%C@ %p\\n'
} | LC_ALL=C sort -rn | sed -n '1s/^/newest /p'
real=$(readlink -m -- "$1")
if [ "$real" != "$1" ]; then printf 'target %s\\n' "$real"; fi
if [ -n "$here" ]; then exit 0; fi
find "$real" -type l -print0 | xargs -0r readlink -m -- | sort -u | while IFS= read -r l; do
  case $l in "$p"/* | "$real"/*) ;; *) printf 'target %s\\n' "$l" ;; esac
done
exit 0`,
    [path],
  )

/** `SHA256  PATH` of all that is at or below each path: names, contents, modes and owners. */
const digests = `
digest() {
  {
    find -L "$1" \\( -type f -printf '%P %s %m %U %G\\0' -o -printf '%P %y %m %U %G\\0' \\) | LC_ALL=C sort -z
    find -L "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0r cat --
  } 2>/dev/null | sha256sum | cut -d' ' -f1
}
digests() { for p do printf '%s  %s\\n' "$(digest "$p")" "$p"; done; }`

/** What is at the paths now. */
export const digestsOf = (paths: readonly string[]): Script => script('digests', `${digests}\ndigests "$@"`, paths)

/** Where is kept what our own starts and reloads loaded; gone after a reboot, when everything is started anew. For root only. */
const stateDirectory = '/run/sak-reconcile/service'

export type Moment = 'started' | 'reloaded'

export const recordPath = ({ owner }: Systemd, unit: string, moment: Moment): string =>
  `${stateDirectory}/${owner ? `${owner.user}:` : ''}${unit}.${moment}`

/** Which start, or which reload of which start, a record is of. */
const keyOf = {
  started: 'ctl show -p InvocationID -- "$unit"',
  reloaded: 'ctl show -p InvocationID,StateChangeTimestampMonotonic -- "$unit"',
} as const satisfies Record<Moment, string>

/** Before a start: what there is to load. What changes from here on is not known to be loaded. */
export function note(path: string, paths: readonly string[]): Script {
  const body = `
${digests}
umask 077; r=$1; shift
mkdir -p ${stateDirectory} && digests "$@" >"$r.new"`
  return script('note-files', body, [path, ...paths])
}

/** After it: that this start, or reload, loaded what was noted. */
export function keep(systemd: Systemd, unit: string, moment: Moment): Script {
  const body = `
${functions(systemd, 'root')}
umask 077; r=$1 unit=$2
${keyOf[moment]} >>"$r.new" && mv "$r.new" "$r"`
  return script('keep-record', body, [recordPath(systemd, unit, moment), unit])
}

/**
 * Succeeds once a service has stayed up for so many seconds since its start, without a new one; at once where it has done its work
 * and counts as active. Else tells how it ended, and what it said last.
 */
export function steady(systemd: Systemd, unit: string, seconds: number): Script {
  const body = `
${functions(systemd, 'root')}
unit=$1
of() { printf '%s\\n' "$now" | sed -n "s/^$1=//p"; }
first='' end=$(($(date +%s%3N) + $2))
while :; do
  now=$(ctl show -p ActiveState,SubState,Result,ConditionResult,InvocationID -- "$unit")
  case $(of ActiveState) in active | reloading) ;; *) why="$(of ActiveState) ($(of SubState)), $(of Result)"; break ;; esac
  first=\${first:-$(of InvocationID)}
  if [ "$(of InvocationID)" != "$first" ]; then why='it died, and was started again'; break; fi
  if [ "$(of SubState)" = exited ] || [ "$(date +%s%3N)" -ge "$end" ]; then exit 0; fi
  sleep 0.3
done
if [ "$(of ConditionResult)" = no ]; then why='a condition of its unit is not met'; fi
echo "$unit did not stay up: $why"
words "$unit"
exit 1`
  return script('stays-up', body, [unit, String(Math.round(seconds * 1000))])
}
