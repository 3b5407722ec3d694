# shellcheck shell=bash disable=SC2154 # the settings are hosts.sh's
# Sourced by hosts.sh: light hosts, each a container with systemd and a network namespace of its own, at this
# machine's speed but on this machine's kernel. Their vm.* values and /proc/meminfo are stand-ins (a file takes any
# value), and they cannot have swap, which would be the whole machine's.

readonly bridge=saklight$instance
readonly subnet=10.201.$((77 + instance))

up_light() { # NUMBER
  local name=light$1 directory=$hosts/light$1 address=$subnet.$((10 + $1)) started
  started=$(now)
  if is_up "$name"; then
    cat "$directory/host.json"
    return
  fi
  down_light "$name"
  mkdir -p "$directory/root"
  prepare_directory "$directory"
  connect_network "$name" "$address"
  cp --sparse=always "$image/base.img" "$directory/disk.img"
  chmod 644 "$directory/disk.img"
  mount -o loop,discard "$directory/disk.img" "$directory/root"
  furnish "$name" "$directory/root"
  boot_light "$name" "$directory"
  wait_for_ssh "$address" 22 60
  if [ "$state" = stock ]; then first_ssh "$address" 22 "$start_app"; fi
  describe "$name" light "$address" 22 "http://$address/"
  wait_for_host "$name" 150
  say "$name is up after $(seconds_since "$started") s"
  cat "$directory/host.json"
}

bring_up_bridge() {
  if ip link show "$bridge" >/dev/null 2>&1; then return; fi
  ip link add "$bridge" type bridge
  ip addr add "$subnet.1/24" dev "$bridge"
  ip link set "$bridge" up
}

connect_network() { # NAME ADDRESS
  local namespace=sak$instance-$1 veth=sak${instance}v${1#light}
  ip netns add "$namespace"
  ip link add "$veth" type veth peer name host0 netns "$namespace"
  ip link set "$veth" master "$bridge" up
  ip -n "$namespace" addr add "$2/24" dev host0
  ip -n "$namespace" link set host0 up
  ip -n "$namespace" link set lo up
}

# What the disk needs to be this host, and the unit that lays the stand-ins at every boot.
furnish() { # NAME ROOT
  local name=$1 root=$2 stand_ins=$2/var/lib/sak-hosts file
  cp "$hosts/$name"/keys/etc/ssh/* "$root/etc/ssh/"
  echo "$name" >"$root/etc/hostname"
  sed -i "s/^127.0.1.1.*/127.0.1.1 $name/" "$root/etc/hosts"
  mkdir -p "$stand_ins/vm"
  for file in /proc/sys/vm/*; do
    if [ -f "$file" ] && [ -r "$file" ]; then cat "$file" >"$stand_ins/vm/${file##*/}" 2>/dev/null || true; fi
  done
  echo 60 >"$stand_ins/vm/swappiness"
  echo 100 >"$stand_ins/vm/vfs_cache_pressure"
  printf '%-15s %8d kB\n' MemTotal: 1974524 MemFree: 1221336 MemAvailable: 1502112 Buffers: 31412 Cached: 512204 \
    SwapCached: 0 Shmem: 16804 SReclaimable: 40120 SwapTotal: 0 SwapFree: 0 >"$stand_ins/meminfo"
  cat >"$root/etc/systemd/system/sak-stand-ins.service" <<'UNIT'
[Unit]
DefaultDependencies=no
Before=systemd-sysctl.service sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cp -r /var/lib/sak-hosts /run/ && mount --bind /run/sak-hosts/vm /proc/sys/vm && mount --bind -o ro /run/sak-hosts/meminfo /proc/meminfo'

[Install]
WantedBy=sysinit.target
UNIT
  mkdir -p "$root/etc/systemd/system/sysinit.target.wants"
  ln -s ../sak-stand-ins.service "$root/etc/systemd/system/sysinit.target.wants/"
}

# The container gets a cgroup of its own (in each hierarchy, where there are several), else its systemd would
# rearrange this machine's.
cgroups() { # NAME
  local parent
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo "/sys/fs/cgroup/sak$instance-$1"
  else
    for parent in systemd unified memory; do
      if [ -d "/sys/fs/cgroup/$parent" ]; then echo "/sys/fs/cgroup/$parent/sak$instance-$1"; fi
    done
  fi
}

boot_light() { # NAME DIRECTORY
  local name=$1 directory=$2 groups group
  mapfile -t groups < <(cgroups "$name")
  for group in "${groups[@]}"; do
    mkdir -p "$group"
    echo "$((memory * 1024 * 1024))" 2>/dev/null >"$group/memory.limit_in_bytes" || true
    echo "$((memory * 1024 * 1024))" 2>/dev/null >"$group/memory.max" || true
  done
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid bash -c '
    directory=$1 name=$2 namespace=$3
    shift 3
    for group in "$@"; do echo $$ >"$group/cgroup.procs"; done
    echo $$ >"$directory/pid"
    # Without this /proc/sys is read-only, and a host must be able to set its own net.*.
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
    exec systemd-nspawn --quiet --directory="$directory/root" --boot --register=no --keep-unit \
      --machine="$namespace" --hostname="$name" --network-namespace-path="/run/netns/$namespace" \
      --capability=CAP_SYS_ADMIN
  ' _ "$directory" "$name" "sak$instance-$name" "${groups[@]}" </dev/null >"$directory/console" 2>&1 7>&- 8>&- 9>&- &
}

down_light() { # NAME
  local name=$1 directory=$hosts/$1 group
  kill_host "$name" "sak$instance-$name"
  if mountpoint -q "$directory/root"; then umount "$directory/root" || umount -l "$directory/root"; fi
  ip netns del "sak$instance-$name" 2>/dev/null || true
  ip link del "sak${instance}v${name#light}" 2>/dev/null || true
  for group in $(cgroups "$name"); do
    if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  done
  rmdir "/run/systemd/nspawn/propagate/sak$instance-$name" 2>/dev/null || true
  rm -rf --one-file-system "${hosts:?}/$name"
}

take_down_bridge() {
  if ip -o link show master "$bridge" 2>/dev/null | grep -q .; then return; fi
  ip link del "$bridge" 2>/dev/null || true
}

# A container's reboot is a restart of its systemd: units and /run are new, the kernel and its boot id are not.
# systemd-nspawn leaves the starting again to whoever supervises it, and that is us.
reboot_light() { # NAME
  local pid
  pid=$(cat "$hosts/$1/pid")
  host_ssh "$1" 'sudo systemctl reboot' || true
  wait_for_exit "$pid" || die "$1 does not shut down"
  boot_light "$1" "$hosts/$1"
  wait_for_host "$1" 150
  wait_for_boot "$1"
}

# A container has no memory to snapshot, but making it again is as quick.
restore_light() { # NAME TAG
  [ "$2" = stock ] || die 'light hosts have no snapshots but "stock"'
  state=$(field "$1" state)
  down_light "$1"
  bring_up_bridge
  up_light "${1#light}" >/dev/null
}
