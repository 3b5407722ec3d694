# shellcheck shell=bash disable=SC2154 # the settings are hosts.sh's
# Sourced by hosts.sh: builds the image that all hosts are started from, once, into the cache.
#   debian-*.tar    the bare Debian tree, kept so that a change of configure.sh costs no second download
#   image-*/        base.img (a disk with no PM2 state: --bare), stock.qcow2 (over it: the app running under PM2, with
#                   the RAM snapshot "stock"), vmlinuz, initrd.img, and key (logs in as ubuntu and admin)

readonly pm2_version=7.0.4
readonly packages=systemd-sysv,dbus,udev,libpam-systemd,openssh-server,sudo,postgresql-15,nginx-light,logrotate,cron,procps,iproute2,iputils-ping,kmod,acl,ca-certificates,curl,less,netbase,e2fsprogs,xfsprogs,btrfs-progs,busybox-static,linux-image-cloud-amd64

digest() { sha256sum | cut -c1-12; }
debian_tar() { echo "$cache/debian-$(echo "$packages" | digest).tar"; }

# The name says what it was made from: a change of these files, of the machine's options or of node makes a new image.
image_directory() {
  echo "$cache/image-$({
    cat "$here"/configure.sh "$here"/initrd.sh "$here"/app/server.js
    declare -f build_disk build_stock start_vm
    node --version
    echo "$packages $pm2_version $accel $memory $start_app"
  } | digest)"
}

install_tools() {
  local missing=() pair
  for pair in mmdebstrap:mmdebstrap qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils cpio:cpio mke2fs:e2fsprogs \
    systemd-nspawn:systemd-container ssh:openssh-client ip:iproute2 bc:bc flock:util-linux gcc:gcc; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  say "installing ${missing[*]}"
  local apt=(apt-get -q -o DPkg::Lock::Timeout=300)
  # New machines have no package lists; old ones may be too old to find anything by.
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
    "${apt[@]}" update >/dev/null
    DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
  }
}

# The mirrors that this machine itself uses, where it is a Debian 12.
debian_sources() {
  local lines
  # shellcheck disable=SC2016 # the variables are apt's
  lines=$(apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) main' 'Created-By: Packages' |
    grep -E ' bookworm(-updates|-security)? ' | sort -u || true)
  echo "${lines:-deb http://deb.debian.org/debian bookworm main}"
}

build() {
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  flock 9
  image=$(image_directory)
  if [ -f "$image/ready" ]; then
    touch "$image/ready"
    exec 9>&-
    return
  fi
  local started=$SECONDS
  install_tools
  build_debian
  rm -rf "$image"
  mkdir -p "$image"
  ssh-keygen -q -t ed25519 -N '' -C sak-hosts -f "$image/key"
  build_disk
  build_stock
  touch "$image/ready"
  # Images of earlier versions; a running host may still need a younger one.
  find "$cache" -mindepth 2 -maxdepth 2 -name ready -mtime +2 -printf '%h\0' | xargs -0 -r rm -rf
  exec 9>&-
  say "image built in $((SECONDS - started)) s, $(du -sh "$image" | cut -f1)"
}

build_debian() {
  local tar
  tar=$(debian_tar)
  if [ -f "$tar" ]; then return; fi
  say "downloading Debian 12"
  debian_sources >"$cache/sources.list"
  mmdebstrap --quiet --mode=root --variant=minbase --skip=check/qemu --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$tar.part.tar" "$cache/sources.list" 9>&-
  mv "$tar.part.tar" "$tar"
}

build_disk() {
  local root=$image/root version
  mkdir "$root"
  tar -xf "$(debian_tar)" -C "$root" --numeric-owner --xattrs --xattrs-include='*'
  say "configuring the host"
  "$here/configure.sh" "$root" "$image/key.pub" "$pm2_version" 9>&-
  version=$(ls "$root/lib/modules")
  cp "$root/boot/vmlinuz-$version" "$image/vmlinuz"
  "$here/initrd.sh" "$root" "$version" "$image/initrd.img"
  mke2fs -q -F -t ext4 -L root -d "$root" "$image/base.img" 20G >/dev/null
  chmod 444 "$image/base.img"
  rm -rf "$root"
}

# The first boot: somebody starts the app by hand, as on a box that nobody has tuned; then the machine is frozen.
build_stock() {
  local seed=$image/seed port=$((first_port + 49)) pid
  say "booting the host once"
  mkdir "$seed"
  qemu-img create -q -f qcow2 -b "$image/base.img" -F raw "$seed/disk.qcow2"
  start_vm "$seed" seed "$port" "$((port + 50))"
  wait_for_ssh 127.0.0.1 "$port" 300
  first_ssh 127.0.0.1 "$port" "$start_app"'
    sudo systemctl is-system-running --wait >/dev/null
    sudo sync'
  pid=$(cat "$seed/pid")
  node "$here/monitor.mjs" "$seed/monitor" stop 'savevm stock' quit
  wait_for_exit "$pid"
  mv "$seed/disk.qcow2" "$image/stock.qcow2"
  rm -rf "$seed"
}
