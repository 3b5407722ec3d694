#!/bin/bash
# initrd.sh ROOT KERNEL_VERSION OUT: a minimal initrd (busybox and the virtio modules) that mounts /dev/vda.
# Debian's own initramfs does the same in several more seconds of emulated boot.
set -euo pipefail
root=$1 version=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/{bin,proc,sys,dev,new,modules}
cp "$root/bin/busybox" "$work/bin/"
for name in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_mmio virtio_blk \
  failover net_failover virtio_net; do
  module=$(find "$root/lib/modules/$version" -name "$name.ko" -print -quit)
  if [ -n "$module" ]; then cp "$module" "$work/modules/"; fi
done

cat >"$work/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
# There is no modprobe to sort out who needs whom: three passes load them all.
for pass in 1 2 3; do
  for module in /modules/*.ko; do $b insmod $module 2>/dev/null && $b rm $module; done
done
waited=0
while [ ! -b /dev/vda ] && [ $waited -lt 100 ]; do $b sleep 0.1; waited=$((waited + 1)); done
$b mount -t ext4 -o rw /dev/vda /new || exec $b sh
$b umount /proc /sys
$b mount --move /dev /new/dev
exec $b switch_root /new /sbin/init
INIT
chmod +x "$work/init"
(cd "$work" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
