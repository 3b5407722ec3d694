/** What every script on a host begins with: a clean environment, who we are, where journals lie, running as another user. */
export const hostShell = `
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /
me=$(id -un)
if [ "$me" = root ]; then base=/var/lib/sak-reconcile; else base=\${HOME:-/nonexistent}/.local/state/sak-reconcile; fi
b64() { base64 -w0; }
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
