/** What runs on the host in `sh`: to see which workers run, and to prove that a reload made new ones. */

/** Between our steps, and from our reload to the next check; gone after a reboot, when everything is loaded anew. */
export const stateDirectory = '/run/sak-reconcile/nginx'

/** Written after our own reload: the workers that it started, and the digests of the files that they loaded. */
export const recordPath = `${stateDirectory}/loaded`

/** Where nginx says why a reload failed; systemctl does not know. */
const errorLog = '/var/log/nginx/error.log'

/**
 * `children PID TITLE` prints PID and START (in clock ticks since boot) of each nginx process below another that calls itself
 * so. Workers that are shutting down still serve their last requests with an older configuration, and do not count.
 */
const functions = `
children() {
  parent=$1 title=$2
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    case $line in *" (nginx) "*) ;; *) continue ;; esac
    pid=\${line%% *}
    set -- \${line##*) }
    [ "$2" = "$parent" ] || continue
    case $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
      "nginx: worker process is shutting down"*) ;;
      "nginx: $title process"*) echo "$title $pid \${20}" ;;
    esac
  done
}
main_pid() { systemctl show --property=MainPID --value nginx.service; }
workers() { children "$(main_pid)" worker; }
`

/** A script with its name and arguments; it travels on stdin, so that plans show the name and not the text. */
export interface Script {
  readonly argv: readonly string[]
  readonly stdin: string
}

/** All in braces: nothing runs before the whole has come. */
function script(name: string, body: string, args: readonly string[] = []): Script {
  return { argv: ['sh', '-s', name, ...args], stdin: `{ shift\n${functions.trim()}\n${body}\n}\n` }
}

/**
 * What systemd and the kernel know of nginx. `self` is this shell's own start, which is now: the difference of ticks
 * tells when a worker started without trusting the boot time, which containers and stepped clocks falsify.
 */
export const observe = script(
  'observe-nginx',
  `date +now=%s.%N
read -r line </proc/$$/stat; set -- \${line##*) }; echo "self=\${20}"
systemctl show --property=LoadState,ActiveState,UnitFileState,MainPID nginx.service || exit 1
master=$(main_pid)
if [ "$master" = 0 ]; then children 1 master
elif [ -d "/proc/$master" ]; then children "$master" worker
else echo hidden; fi
exit 0`,
)

/**
 * Before anything is changed: whether nginx accepts what is there, and which workers run. Files that are known to be loaded
 * get their digests recorded, so that they still count as loaded when a failure has put them back with new times.
 */
export function note(loaded: readonly string[]): Script {
  const body = `umask 077; mkdir -p "$1" && cd "$1" || exit 1; shift
rm -f rejected
nginx -t >test 2>&1 || mv test rejected
workers >old
if [ $# -gt 0 ] && [ -s old ] && ! grep -qsxF -f old loaded; then { cat old; sha256sum -- "$@"; } >loaded.new && mv loaded.new loaded; fi
stat -c %s ${errorLog} >log-size 2>/dev/null
exit 0`
  return script('note-before', body, [stateDirectory, ...loaded])
}

/** The whole configuration as it would be loaded. Digests of the files are taken now: what changes from here on is not loaded. */
export function test(files: readonly string[]): Script {
  const body = `umask 077; cd "$1" || exit 1; shift
if nginx -t; then sha256sum -- "$@" >files; exit; fi
if [ -s rejected ]; then echo 'It was rejected before any change of ours, too:'; cat rejected; fi
exit 1`
  return script('nginx-t', body, [stateDirectory, ...files])
}

/** Succeeds when all workers are new ones. systemctl reload succeeds whatever comes of it. */
export const newWorkers = script(
  'new-workers',
  `cd "$1" || exit 1
found=$(workers)
if [ -n "$found" ] && ! printf '%s\\n' "$found" | grep -qxF -f old; then exit 0; fi
echo 'nginx still runs the workers of before: it did not load the new configuration'
read -r size <log-size 2>/dev/null || size=0
tail -c "+$((size + 1))" ${errorLog} 2>/dev/null | grep -E '\\[(emerg|alert|crit)\\]' | tail -n 3
exit 1`,
  [stateDirectory],
)

/** Keeps what the new workers loaded, for the next check. */
export const record = script(
  'record-loaded',
  `umask 077; cd "$1" || exit 1
{ workers; cat files; } >loaded.new && mv loaded.new loaded`,
  [stateDirectory],
)
