/** What runs on the host in `sh`: to see which workers run, and to prove that a reload made new ones. */

/** Between our steps, and from our reload to the next check; gone after a reboot, when everything is loaded anew. */
export const stateDirectory = '/run/sak-reconcile/nginx'

/** Written after our own reload: the workers that it started, and the digests of the files that they loaded. */
export const recordPath = `${stateDirectory}/loaded`

/** Where nginx says why a reload failed; systemctl does not know. */
const errorLog = '/var/log/nginx/error.log'

/**
 * Prints `PID START` of each worker of a master, START in clock ticks since boot. Workers that are shutting down still
 * serve their last requests with an older configuration, and do not count.
 */
const workers = `
workers() {
  master=$1
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    case $line in *" (nginx) "*) ;; *) continue ;; esac
    pid=\${line%% *}
    set -- \${line##*) }
    [ "$2" = "$master" ] || continue
    case $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
      "nginx: worker process is shutting down"*) ;;
      "nginx: worker process"*) echo "worker $pid \${20}" ;;
    esac
  done
}
main_pid() { systemctl show --property=MainPID --value nginx.service; }
`

/**
 * What systemd and the kernel know of nginx. \`self\` is this shell's own start, which is now: the difference of ticks
 * tells when a worker started without trusting the boot time, which containers and stepped clocks falsify.
 */
export const observe: readonly string[] = [
  'sh',
  '-c',
  `date +now=%s.%N
read -r line </proc/$$/stat; set -- \${line##*) }; echo "self=\${20}"
systemctl show --property=LoadState,ActiveState,UnitFileState,MainPID nginx.service || exit 1
${workers.trim()}
master=$(main_pid)
if [ "$master" != 0 ]; then if [ -d "/proc/$master" ]; then workers "$master"; else echo hidden; fi
elif read -r pid </run/nginx.pid && read -r name <"/proc/$pid/comm" && [ "$name" = nginx ]; then echo "stray $pid"; fi 2>/dev/null
exit 0`,
]

/** Before anything is changed: whether nginx accepts what is there, and which workers run. */
export const note: readonly string[] = [
  'sh',
  '-c',
  `${workers.trim()}
umask 022; mkdir -p "$1" && cd "$1" || exit 1
rm -f rejected
nginx -t >test 2>&1 || mv test rejected
workers "$(main_pid)" >old
stat -c %s ${errorLog} >log-size 2>/dev/null
exit 0`,
  'note',
  stateDirectory,
]

/** The whole configuration as it would be loaded. Digests of the files are taken now: what changes from here on is not loaded. */
export function test(files: readonly string[]): readonly string[] {
  return [
    'sh',
    '-c',
    `umask 022; cd "$1" || exit 1; shift
if nginx -t; then sha256sum -- "$@" >files; exit; fi
if [ -s rejected ]; then echo 'It was rejected before any change of ours, too:'; cat rejected; fi
exit 1`,
    'nginx -t',
    stateDirectory,
    ...files,
  ]
}

/** Succeeds when all workers are new ones. systemctl reload succeeds whatever comes of it. */
export const newWorkers: readonly string[] = [
  'sh',
  '-c',
  `${workers.trim()}
cd "$1" || exit 1
found=$(workers "$(main_pid)")
if [ -n "$found" ] && ! printf '%s\\n' "$found" | grep -qxF -f old; then exit 0; fi
echo 'nginx still runs the workers of before: it did not load the new configuration'
read -r size <log-size 2>/dev/null || size=0
tail -c "+$((size + 1))" ${errorLog} 2>/dev/null | grep -E '\\[(emerg|alert|crit)\\]' | tail -n 3
exit 1`,
  'new workers',
  stateDirectory,
]

/** Keeps what the new workers loaded, for the next check. */
export const record: readonly string[] = [
  'sh',
  '-c',
  `${workers.trim()}
umask 022; cd "$1" || exit 1
{ workers "$(main_pid)"; cat files; } >loaded.new && mv loaded.new loaded`,
  'record',
  stateDirectory,
]
