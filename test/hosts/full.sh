# shellcheck shell=bash disable=SC2154 # the settings are hosts.sh's
# Sourced by hosts.sh: full hosts, each a virtual machine with a kernel, sysctl, swap and reboots of its own.

# The machine type is q35: microvm boots a little faster, but now and then hangs in a cold boot under load.
# A snapshot is only good for the very machine it was taken on: every option here is part of the image's digest.
# cache=unsafe still hands the host's writes to this machine's page cache when the host flushes, so killing the
# process loses just what a power cut loses.
start_vm() { # DIRECTORY NAME SSH_PORT HTTP_PORT [SNAPSHOT]
  local directory=$1 name=$2 ssh_port=$3 http_port=$4 snapshot=${5:-}
  rm -f "$directory/monitor"
  qemu-system-x86_64 -name "sak-$instance-$name" -M q35 -accel "$accel" -cpu max -smp 2 -m "$memory" \
    -nodefaults -no-user-config -display none \
    -serial "file:$directory/console" -monitor "unix:$directory/monitor,server,nowait" \
    -daemonize -pidfile "$directory/pid" \
    -kernel "$image/vmlinuz" -initrd "$image/initrd.img" \
    -append 'console=ttyS0 quiet mitigations=off systemd.show_status=0' \
    -drive "file=$directory/disk.qcow2,if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap" \
    -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$ssh_port-:22,hostfwd=tcp:127.0.0.1:$http_port-:80" \
    -device virtio-blk-pci,drive=disk -device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci \
    ${snapshot:+-loadvm "$snapshot"} 7>&- 8>&- 9>&-
}

up_full() { # NUMBER
  local name=full$1 directory=$hosts/full$1 port=$((first_port + $1)) http_port=$((first_port + 50 + $1)) started
  started=$(now)
  if is_up "$name"; then
    cat "$directory/host.json"
    return
  fi
  down_full "$name"
  prepare_directory "$directory"
  if [ "$state" = bare ]; then
    qemu-img create -q -f qcow2 -b "$image/base.img" -F raw "$directory/disk.qcow2"
  else
    cp "$image/stock.qcow2" "$directory/disk.qcow2"
  fi
  local snapshot=stock
  if [ "$state" = bare ] || [ "$cold" = 1 ]; then snapshot=; fi
  start_vm "$directory" "$name" "$port" "$http_port" $snapshot
  wait_for_ssh 127.0.0.1 "$port" 300
  tar -C "$directory/keys" -c etc/ssh | make_individual "$name" "$port"
  describe "$name" full 127.0.0.1 "$port" "http://127.0.0.1:$http_port/"
  wait_for_host "$name" 150
  if [ -z "$snapshot" ]; then wait_for_boot "$name"; fi
  snapshot_full "$name" stock
  say "$name is up after $(seconds_since "$started") s"
  cat "$directory/host.json"
}

# All hosts wake from the same memory: give each a name, host keys, and the time of day.
make_individual() { # NAME PORT <HOST_KEYS
  first_ssh 127.0.0.1 "$2" "sudo sh -c '
    date -s @$(date +%s.%N) >/dev/null
    echo $1 >/etc/hostname
    hostname $1
    sed -i \"s/^127.0.1.1.*/127.0.1.1 $1/\" /etc/hosts
    tar -C / -x --no-overwrite-dir
    systemctl reload ssh'"
}

down_full() { # NAME
  kill_host "$1" "sak-$instance-$1"
  rm -rf "${hosts:?}/$1"
}

snapshot_full() { # NAME TAG
  node "$here/monitor.mjs" "$hosts/$1/monitor" "savevm $2"
}

restore_full() { # NAME TAG
  node "$here/monitor.mjs" "$hosts/$1/monitor" "loadvm $2"
  # The memory is that of the snapshot, and so is its clock.
  wait_for_host "$1" 150
  host_ssh "$1" "sudo date -s @$(date +%s.%N) >/dev/null"
}

reboot_full() { # NAME
  local before
  before=$(boot_id "$1")
  host_ssh "$1" 'sudo systemctl reboot' || true
  retry_until 240 has_booted_since "$1" "$before" || die "$1 did not reboot within 240 s"
  wait_for_boot "$1"
}

boot_id() { host_ssh "$1" 'cat /proc/sys/kernel/random/boot_id'; } # NAME
has_booted_since() {                                             # NAME BOOT_ID
  local boot
  boot=$(boot_id "$1") && [ "$boot" != "$2" ]
}

powercut_full() { # NAME
  kill_host "$1" "sak-$instance-$1" KILL
  image=$(readlink "$hosts/$1/image")
  start_vm "$hosts/$1" "$1" "$(field "$1" port)" "$(field "$1" http | sed 's/.*:\([0-9]*\).*/\1/')"
  wait_for_host "$1" 240
  wait_for_boot "$1"
}
