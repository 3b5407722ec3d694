import { directories } from './directory-shell.ts'

/** How long systemd may take to start, stop or reload a unit, in seconds; then the step has failed. */
export const activationSeconds = 300

/** The shell functions that a transaction's steps are made of: how files are kept, written and put back, how units were. */
export const library = `
say() { echo "$n $*" 2>/dev/null; }
output() { if [ -s "$1" ]; then tail -c 4000 "$1" 2>/dev/null | b64; fi; }
# the file behind a path: links are followed, so that a link stays one, unless somebody leads us to what is not theirs
target() {
  if [ ! -L "$1" ]; then printf '%s' "$1"; return; fi
  l=$(stat -c %u -- "$1") f=$(stat -L -c %u -- "$1" 2>/dev/null) || { echo "$1 is a link that leads nowhere" >&2; return 1; }
  if [ "$l" != 0 ] && [ "$l" != "$f" ]; then echo "$1 is a link of one user to the file of another" >&2; return 1; fi
  readlink -f -- "$1"
}
# whose hands a directory's files are written with: in a directory of somebody else root would follow what they put there
hands() { w=$(stat -L -c %U -- "\${1%/*}/") && if [ "$me" != root ]; then w=$me; fi; }
# by_hands WORDS...: a program as them; where that is us, without a process to become us
by_hands() { if [ "$w" = "$me" ]; then "$@"; else as_user "$w" "$@"; fi; }
# beside PATH: the name of something beside it that no program picks up, and that nobody can guess
beside() { read -r p </proc/sys/kernel/random/uuid && p="\${1%/*}/.sak-$p.dpkg-new"; }
# keep ID TARGET: how it was, and the name that new content will have beside it, on disk before anything is changed
keep() {
  hands "$2" && printf '%s' "$2" >"$d/target-$1" && beside "$2" && printf '%s' "$p" >"$d/tmp-$1" || return 1
  k="$d/before-$1" c="$d/copy-$1"
  if ! by_hands test -e "$2" && ! by_hands test -L "$2"; then k="$d/absent-$1"; : >"$k"
  # half a copy, of a full disk, must not be what is put back
  elif [ "$w" = "$me" ]; then cp -a -- "$2" "$c" && mv -T -- "$c" "$k"
  elif by_hands test -L "$2"; then k="$d/link-$1"; by_hands readlink -n -- "$2" >"$c" && mv -T -- "$c" "$k"
  # a file of root's in their directory: read by root, who is not led elsewhere
  else { by_hands cat -- "$2" 2>/dev/null || dd if="$2" iflag=nofollow bs=64k status=none; } >"$c" && by_hands stat -c '%a %u:%g %.9Y' -- "$2" >"$d/attributes-$1" && sync "$d/attributes-$1" && mv -T -- "$c" "$k"
  fi || return 1
  if [ -L "$k" ]; then sync "$d/target-$1" "$d/tmp-$1" "$d"; else sync "$k" "$d/target-$1" "$d/tmp-$1" "$d"; fi
}
# place PATH MODE, the content on stdin: a new file that only its maker can read before its mode is set
place() {
  if [ "$w" = "$me" ]; then (set -C; cat >"$1"); else as_user "$w" sh -Cc 'umask 077; cat >"$1"' sh "$1"; fi && by_hands chmod "$2" "$1"
}
# a step that failed before it changed anything leaves nothing to put back, where perhaps nothing can be written
untouched() {
  if [ -e "$d/attributes-$1" ]; then b=$(cat "$d/attributes-$1"); else b=$(stat -c '%a %u:%g %.9Y' -- "$d/before-$1" 2>/dev/null); fi
  [ "$b" = "$(stat -c '%a %u:%g %.9Y' -- "$2" 2>/dev/null)" ] && [ "$(sha256sum <"$d/before-$1")" = "$(by_hands cat -- "$2" | sha256sum)" ]
}
put_back() {
  t=$(cat "$d/target-$1" 2>/dev/null) && p=$(cat "$d/tmp-$1" 2>/dev/null) && [ -n "$p" ] && hands "$t" || return 0
  by_hands rm -f -- "$p" || return 1
  if [ -e "$d/absent-$1" ]; then by_hands rm -f -- "$t"
  elif [ -e "$d/link-$1" ]; then
    by_hands ln -s -- "$(cat "$d/link-$1")" "$p" && by_hands mv -fT -- "$p" "$t" && sync "\${t%/*}/"
  elif [ ! -e "$d/before-$1" ] && [ ! -L "$d/before-$1" ]; then :
  elif untouched "$1" "$t"; then :
  elif [ -e "$d/attributes-$1" ]; then
    read -r m o y <"$d/attributes-$1" && place "$p" "$m" <"$d/before-$1" && by_hands touch -d "@$y" "$p" || return 1
    by_hands sync "$p" && own "$p" "$o" && by_hands mv -fT -- "$p" "$t" && sync "\${t%/*}/"
  else
    cp -a --remove-destination -- "$d/before-$1" "$p" || return 1
    if [ ! -L "$p" ]; then sync "$p"; fi
    mv -fT -- "$p" "$t" && sync "\${t%/*}/"
  fi
}
# own PATH OWNER:GROUP, by names or numbers, where it is not so already; a link that was put there is not followed
own() { case " $(stat -c '%U:%G %u:%g %U:%g %u:%G' -- "$1") " in *" $2 "*) ;; *) chown -h "$2" -- "$1" ;; esac; }
# the directory that is to hold a path
held() { if [ ! -d "\${1%/*}/" ]; then echo "there is no directory \${1%/*}"; return 1; fi; }
# write ID PATH MODE OWNER GROUP VALIDATE follow|replace SHA256, the content on stdin; a link is followed or replaced
write_file() {
  if [ "$7" = replace ]; then t=$2; else t=$(target "$2") && [ -n "$t" ] || return 1; fi
  if [ -e "$t" ] && [ ! -f "$t" ] && [ ! -L "$t" ]; then echo "$t is not a regular file"; return 1; fi
  held "$t" || return 1
  m=$3 o=$4 g=$5
  if [ -e "$t" ] && [ ! -L "$t" ]; then : "\${m:=$(stat -c %a "$t")}" "\${o:=$(stat -c %u "$t")}" "\${g:=$(stat -c %g "$t")}"; fi
  keep "$1" "$t" || return 1
  if [ -n "$8" ] && [ "$(sha256sum <"$d/before-$1" | cut -d' ' -f1)" != "$8" ]; then
    echo "$t was changed by somebody else since it was read: run again"; return 1
  fi
  base64 -d >"$d/content" && place "$p" "\${m:-0644}" <"$d/content" && by_hands sync "$p" || return 1
  : >"$d/content"
  : "\${o:=$me}" "\${g:=$(id -g -- "$o")}"
  own "$p" "$o:$g" && "$6" "$p" && by_hands mv -fT -- "$p" "$t" && sync "\${t%/*}/"
}
remove_file() {
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then return 0; fi
  if [ -d "$2" ] && [ ! -L "$2" ]; then echo "$2 is a directory"; return 1; fi
  keep "$1" "$2" && by_hands rm -f -- "$2" && sync "\${2%/*}/"
}
refused() { if grep -E -- "$1" "$2" >/dev/null; then echo "its output is refused: it matches $1"; return 0; fi; return 1; }
wait_for() {
  e=$(($(date +%s) + $1)); x=$2 m=$3; shift 3
  while :; do
    "$@" >"$d/wait" 2>&1; c=$?
    if [ "$c" = "$x" ] && { [ -z "$m" ] || grep -E -- "$m" "$d/wait" >/dev/null; }; then return 0; fi
    if [ "$(date +%s)" -ge "$e" ]; then cat "$d/wait"; echo "(exit $c, waited for exit $x\${m:+ and output $m})"; return 1; fi
    sleep 0.3
  done
}
# how a unit was, on disk before it is touched: what is not known is not stopped
# started ID UNIT SYSTEMCTL...
started() {
  id=$1 unit=$2; shift 2
  case $("$@" is-active -- "$unit") in active | reloading) a=active ;; activating) a=starting ;; *) a=inactive ;; esac
  if "$@" is-enabled --quiet -- "$unit" 2>/dev/null; then e=enabled; else e=disabled; fi
  if "$@" is-failed --quiet -- "$unit"; then : >"$d/was-failed-$id"; fi
  : >"$d/was-$a-$id" && : >"$d/was-$e-$id" && sync "$d"
}
# activate ACTION UNIT SYSTEMCTL...: of a failure also what the unit said last
activate() {
  action=$1 unit=$2; shift 2
  "$@" "$action" -- "$unit" && return 0
  c=$?
  if [ "$c" = 124 ]; then echo "it was not done within \${limit} s"; fi
  if [ "$1" = systemctl ]; then set -- -u "$unit"; else set -- "_SYSTEMD_USER_UNIT=$unit" "_UID=$(id -u -- "$2")"; fi
  timeout -k 2 10 journalctl -q --no-pager -o cat -n 10 "$@" 2>/dev/null
  return "$c"
}
# stopped ID UNIT SYSTEMCTL...: no longer running, without the mark of a failure of ours; 5 is the exit for a unit that there is none of, any more
stopped() {
  id=$1 unit=$2; shift 2
  "$@" stop -- "$unit" || [ $? = 5 ] || return 1
  [ -e "$d/was-failed-$id" ] || "$@" reset-failed -- "$unit" 2>/dev/null || :
}
# again ACTION UNIT SYSTEMCTL...: what does not run is started, and starts that failed before do not count against it
again() {
  action=$1 unit=$2; shift 2
  if [ "$action" = restart ] || ! "$@" is-active --quiet -- "$unit"; then
    action=restart
    "$@" reset-failed -- "$unit" 2>/dev/null
  fi
  activate "$action" "$unit" "$@"
}
# a unit may take for ever: those of Debian's PostgreSQL have no limit of their own
limit=${activationSeconds}
systemctl() {
  case $1 in start | stop | restart | reload | daemon-reload) timeout -k 5 "$limit" systemctl "$@" ;; *) command systemctl "$@" ;; esac
}
# the systemd of a user
user_systemctl() { u=$1; shift; as_user "$u" env XDG_RUNTIME_DIR="/run/user/$(id -u -- "$u")" timeout -k 5 "$limit" systemctl --user "$@"; }
accept() { :; }
${directories}`
