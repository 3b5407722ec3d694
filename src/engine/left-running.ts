/*
 * A script that is killed leaves the program of its step running. To undo beside it would be undone again by what it still does. So a
 * script runs in a session of its own, which its journal names, and the next one waits for what is left of that.
 */

/** Notes in the journal \$d which session we are, and how many seconds a program of ours may run. */
export const noteSession = (seconds: number) => `
read -r x </proc/$$/stat; set -- "$1" "$2" \${x##*) }
echo "$6 ${seconds}" >"$d/session"
`

/** Starts a journal's script, whose words follow, as a session of its own. */
export const inOwnSession = 'setsid -w sh'

/**
 * left_of JOURNAL SESSION: what runs of it. A number may by now be another session's: it is ours if one of its processes has a file of the
 * journal open, because a number is not given again while a process of the session is left.
 * end_left JOURNAL: waits for it as long as its step may take, ends what is left then, and fails where that cannot be ended.
 */
export const leftRunning = `
left_of() {
  l='' ours=''
  for p in /proc/[0-9]*; do
    { read -r x <"$p/stat"; } 2>/dev/null || continue
    set -- "$1" "$2" \${x##*) }
    if [ "$6" != "$2" ] || [ "$3" = Z ]; then continue; fi
    l="$l \${p#/proc/}"
    case $(readlink -- "$p"/fd/* 2>/dev/null) in *"$1/"*) ours=1 ;; esac
  done
  if [ -n "$ours" ]; then echo "$l"; fi
}
end_left() {
  { read -r s w <"$1/session"; } 2>/dev/null || return 0
  for signal in 0 TERM KILL; do
    e=$(($(date +%s) + w)) w=5
    l=$(left_of "$1" "$s")
    if [ -z "$l" ]; then return 0; fi
    if [ "$signal" != 0 ]; then kill -s "$signal" -- $l 2>/dev/null; fi
    while [ -n "$l" ]; do
      if [ "$(date +%s)" -ge "$e" ]; then continue 2; fi
      sleep 0.2; l=$(left_of "$1" "$s")
    done
    return 0
  done
  echo "processes that it started do not end: $l"
  return 1
}
`
