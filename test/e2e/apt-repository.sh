# Makes a small repository of apt on a host, and has the host take packages from nowhere else. Run as root, with sh.
set -eu
repository=/srv/sak-repository
mkdir -p "$repository"
cd "$repository"

build() { # NAME VERSION [CONTROL LINE] [LINE OF postinst] [CONTENT OF /etc/NAME/NAME.conf]
  d=$(mktemp -d)
  chmod 755 "$d"
  mkdir -p "$d/DEBIAN" "$d/usr/share/$1"
  echo "$2" >"$d/usr/share/$1/version"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Test <test@example.com>\nDescription: for a test\n' "$1" "$2" >"$d/DEBIAN/control"
  if [ -n "${3:-}" ]; then echo "$3" >>"$d/DEBIAN/control"; fi
  printf '#!/bin/sh\nset -e\n%s\n' "${4:-}" >"$d/DEBIAN/postinst"
  chmod 755 "$d/DEBIAN/postinst"
  if [ -n "${5:-}" ]; then
    mkdir -p "$d/etc/$1"
    echo "$5" >"$d/etc/$1/$1.conf"
    echo "/etc/$1/$1.conf" >"$d/DEBIAN/conffiles"
  fi
  dpkg-deb --root-owner-group -b "$d" "$repository/$1_$2.deb" >/dev/null
  rm -rf "$d"
}

build sak-lib 1.0
build sak-lib 2.0
build sak-app 1.0 'Depends: sak-lib' '' 'as shipped in 1.0'
build sak-app 2.0 'Depends: sak-lib (>= 2.0)' '' 'as shipped in 2.0'
build sak-app 3.0 'Depends: sak-lib (>= 2.0)' 'echo no good; exit 1' 'as shipped in 3.0'
build sak-broken 1.0 'Depends: sak-plugin' 'test -e /srv/let-it || { echo "cannot start"; exit 1; }'
build sak-plugin 1.0
build sak-rival 1.0 'Conflicts: sak-lib'
# ends, as a power cut would, all that works on its installation; once
cut='if [ -e /srv/cut ]; then
  rm /srv/cut
  p=$PPID above=
  while [ "$p" -gt 1 ] && [ "$(cat "/proc/$p/comm")" != sshd ]; do
    above="$above $p"
    p=$(sed "s/.*) . \\([0-9]*\\) .*/\\1/" "/proc/$p/stat")
  done
  kill -9 $above
fi'
build sak-cut 1.0 'Depends: sak-plugin' "$cut"
build sak-provider 1.0 'Provides: sak-virtual'

for deb in *.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum <"$deb" | cut -d' ' -f1)"
done >Packages
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo "deb [trusted=yes] file:$repository ./" >/etc/apt/sources.list.d/sak.list
