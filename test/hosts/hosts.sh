#!/bin/bash
# Throwaway SSH hosts that are the stock small box before anybody tunes it: Debian 12 with systemd, sshd, PostgreSQL 15,
# nginx with its default site, logrotate, cron, and one app under PM2 that somebody started by hand. No swap.
#
#   hosts.sh up [--light] [--cold] [--bare] N   N hosts (full1.. or light1..), those that are up already included
#       full: a virtual machine (2 CPUs, 2 GiB, own kernel, real reboots), woken from a snapshot of its memory
#       --light: a container (this machine's kernel; vm.* values are stand-ins, no swap), at native speed
#       --cold: a full host boots instead of waking
#       --bare: boots with the app's code in place and PM2 empty
#   hosts.sh list                     a JSON object a line; known_hosts lies beside (see "knownHosts")
#   hosts.sh ssh NAME [COMMAND]       as ubuntu (SAK_HOSTS_USER=admin: the other, whose sudo password is "s3cret pw")
#   hosts.sh reboot NAME              a real reboot; comes back when the host has booted
#   hosts.sh powercut NAME            kills the full host in mid-air and boots it from the disk as it is
#   hosts.sh snapshot NAME TAG        keeps a full host's memory and disk
#   hosts.sh restore NAME [TAG]       puts them back (default tag "stock": as `up` gave it; a light host is made anew)
#   hosts.sh down [NAME...]           stops and removes (default: all of this instance)
#   hosts.sh build                    builds the image (`up` does it where it is missing)
#   hosts.sh clean                    down, and deletes the cached image
#
# Environment:
#   SAK_HOSTS_INSTANCE   0..9 (0): sets of hosts that do not meet; ports, names and addresses follow from it
#   SAK_HOSTS_DIR        the running hosts (${TMPDIR:-/tmp}/sak-hosts-INSTANCE)
#   SAK_HOSTS_CACHE      the image (${XDG_CACHE_HOME:-$HOME/.cache}/sak-hosts)
#   SAK_HOSTS_PORT       full host i has ssh at PORT+i, http at PORT+50+i (22400 + 100 x INSTANCE)
#   SAK_HOSTS_MEMORY     of a host, in MiB (2048)
#   SAK_HOSTS_ACCEL      QEMU's accelerator (tcg: emulation, works everywhere; kvm is much faster where it works)
# Needs root on Debian 12, node and npm; installs what else it needs.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
instance=${SAK_HOSTS_INSTANCE:-0}
hosts=${SAK_HOSTS_DIR:-${TMPDIR:-/tmp}/sak-hosts-$instance}
cache=${SAK_HOSTS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sak-hosts}
first_port=${SAK_HOSTS_PORT:-$((22400 + 100 * instance))}
memory=${SAK_HOSTS_MEMORY:-2048}
accel=${SAK_HOSTS_ACCEL:-tcg,thread=multi,tb-size=256}
known_hosts=$hosts/known_hosts

# What somebody did on the stock box: the app by hand, with none of the limits that the playbook wants.
# shellcheck disable=SC2034,SC2016 # used by image.sh and light.sh; expanded on the host
start_app='set -e
  sudo systemctl is-system-running --wait >/dev/null || true
  cd /var/www/sak-whatsapp-api
  pm2 start server.js --name sak-whatsapp-api >/dev/null
  pm2 save >/dev/null
  for _ in $(seq 60); do curl -sf -o /dev/null localhost:5000/ && curl -sf -o /dev/null localhost/ && break; sleep 0.5; done
  curl -sf localhost:5000/ >/dev/null'

say() { echo "hosts: $*" >&2; }
die() {
  say "$*"
  exit 1
}
now() { date +%s.%N; }
seconds_since() { echo "scale=1; ($(now) - $1) / 1" | bc; }

# shellcheck source=image.sh
. "$here/image.sh"
# shellcheck source=full.sh
. "$here/full.sh"
# shellcheck source=light.sh
. "$here/light.sh"

### Reaching a host

readonly ssh_options=(-F none -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=10 -o LogLevel=ERROR)

# Before the host has its own key there is nothing to check it by.
first_ssh() { # ADDRESS PORT COMMAND
  ssh "${ssh_options[@]}" -i "$image/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -p "$2" "ubuntu@$1" "$3"
}

host_ssh() { # NAME [COMMAND...]
  local name=$1
  shift
  ssh "${ssh_options[@]}" -i "$(field "$name" privateKeyPath)" -o UserKnownHostsFile="$known_hosts" \
    -p "$(field "$name" port)" "${SAK_HOSTS_USER:-ubuntu}@$(field "$name" address)" "$@"
}

retry_until() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" </dev/null >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then return 1; fi
    sleep 0.2
  done
}

wait_for_ssh() { retry_until "$3" first_ssh "$1" "$2" true || die "no ssh at $1:$2 within $3 s"; } # ADDRESS PORT SECONDS
wait_for_host() { retry_until "$2" host_ssh "$1" true || die "no ssh to $1 within $2 s"; }        # NAME SECONDS
wait_for_boot() { host_ssh "$1" 'systemctl is-system-running --wait' >/dev/null || true; }         # NAME

### What is known of a host: its directory has host.json, pid, key (to log in by), keys (its own), image

# A name keeps its keys as long as the instance lasts, so that a known_hosts that was read stays right.
prepare_directory() { # DIRECTORY
  local keys=$hosts/.keys/${1##*/}
  # Made here, because an RSA key takes an emulated machine several seconds.
  if [ ! -d "$keys" ]; then
    mkdir -p "$keys/etc/ssh"
    ssh-keygen -A -f "$keys" >/dev/null
  fi
  mkdir -p "$1"
  cp -a "$keys" "$1/keys"
  ln -s "$image" "$1/image"
  cp -p "$image/key" "$1/key"
}

# As after a first visit with ssh, known_hosts has only one of the host's keys.
describe() { # NAME TIER ADDRESS PORT HTTP
  local host_key place=$3
  host_key=$(cut -d' ' -f1,2 "$hosts/$1/keys/etc/ssh/ssh_host_ed25519_key.pub")
  if [ "$4" != 22 ]; then place="[$3]:$4"; fi
  echo "$place $host_key" >"$hosts/$1/known_hosts"
  (
    flock 7
    cat "$hosts"/*/known_hosts >"$known_hosts"
  ) 7>"$hosts/.known_hosts.lock"
  printf '{"name":"%s","tier":"%s","state":"%s","address":"%s","port":%s,"http":"%s","user":"ubuntu","sudoPasswordUser":"admin","sudoPassword":"s3cret pw","privateKeyPath":"%s","knownHosts":"%s","hostKey":"%s","directory":"%s"}\n' \
    "$1" "$2" "$state" "$3" "$4" "$5" "$hosts/$1/key" "$known_hosts" "$host_key" "$hosts/$1" >"$hosts/$1/host.json"
}

field() { # NAME KEY
  sed -E 's/.*"'"$2"'":"?([^",}]*).*/\1/' "$hosts/$1/host.json" 2>/dev/null || die "no host $1 (see: hosts.sh list)"
}

names() {
  local file
  for file in "$hosts"/*/; do
    file=${file%/}
    case ${file##*/} in full* | light*) echo "${file##*/}" ;; esac
  done
}

# Up, and in the state that was asked for (stock or bare).
is_up() { # NAME
  [ -f "$hosts/$1/host.json" ] && [ "$(field "$1" state)" = "$state" ] &&
    kill -0 "$(cat "$hosts/$1/pid" 2>/dev/null || echo none)" 2>/dev/null
}

wait_for_exit() { # PID
  local _
  for _ in $(seq 150); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  return 1
}

# Ends the recorded process, if it still is what we started: after a crash the number may be somebody else's.
kill_host() { # NAME MARK [SIGNAL]
  local pid
  pid=$(cat "$hosts/$1/pid" 2>/dev/null || true)
  if [ -z "$pid" ] || ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -- "$2"; then return 0; fi
  kill "-${3:-TERM}" "$pid"
  wait_for_exit "$pid" || {
    kill -KILL "$pid"
    wait_for_exit "$pid"
  }
}

### Commands

up() {
  local tier=full number pids=() pid failed=0
  cold=0 state=stock
  while [[ ${1:-} == --* ]]; do
    case $1 in
    --light) tier=light ;;
    --cold) cold=1 ;;
    --bare) state=bare ;;
    *) die "unknown option $1" ;;
    esac
    shift
  done
  [ "$(id -u)" = 0 ] || die 'run as root'
  install_tools
  build
  mkdir -p "$hosts"
  exec 8>"$hosts/.lock"
  flock 8
  if [ "$tier" = light ]; then bring_up_bridge; fi
  for number in $(seq "${1:-1}"); do
    "up_$tier" "$number" 8>&- &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  return $failed
}

down() {
  local name
  if [ $# = 0 ]; then mapfile -t < <(names); else MAPFILE=("$@"); fi
  for name in "${MAPFILE[@]}"; do
    "down_${name%%[0-9]*}" "$name" &
  done
  wait
  take_down_bridge
}

list() { cat "$hosts"/*/host.json 2>/dev/null || true; }

only_full() { # NAME COMMAND
  [ "$(field "$1" tier)" = full ] || die "$2 is for full hosts"
}

image=$(image_directory)
command=${1:-}
shift || true
case $command in
build) build ;;
up) up "$@" ;;
list) list ;;
ssh) host_ssh "$@" ;;
reboot) "reboot_$(field "$1" tier)" "$1" ;;
powercut)
  only_full "$1" powercut
  powercut_full "$1"
  ;;
snapshot)
  only_full "$1" snapshot
  snapshot_full "$1" "$2"
  ;;
restore) "restore_$(field "$1" tier)" "$1" "${2:-stock}" ;;
down) down "$@" ;;
clean)
  down
  rm -rf "$cache"
  ;;
*)
  sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "$0"
  [ "$command" = help ] || exit 1
  ;;
esac
