#!/bin/bash
# Real configuration files, out of Debian 12's packages: fetch.sh DIRECTORY makes
#   logrotate/PACKAGE/...   sysctl/PACKAGE/...   nginx/PACKAGE/...   nginx-tests/SOURCE/... (the tests of nginx's modules)
# Downloads about 25 MB with the machine's own apt; changes nothing of it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
corpus=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs" "$work/sources" "$work/lists/partial" "$work/cache"
echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' >"$work/src.list"
as_root=(-q -o APT::Sandbox::User=root -o Dir::Cache="$work/cache")
sources=(-o Dir::Etc::SourceList="$work/src.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists")

packages() { sed -n "/^$1:/s/^$1: //p" "$here/packages"; }

# What is no longer in the archive is left out; the test says how many files it wants at least.
known() { apt-cache show --no-all-versions "$@" 2>/dev/null | sed -n 's/^Package: //p' | sort -u; }

cd "$work/debs"
mapfile -t wanted < <(packages binary | xargs -n 1 | sort -u)
mapfile -t found < <(known "${wanted[@]}")
apt-get "${as_root[@]}" download "${found[@]}" >/dev/null
for deb in *.deb; do
  package=${deb%%_*}
  mkdir "$work/tree"
  dpkg-deb --fsys-tarfile "$deb" | tar x -C "$work/tree" --no-same-owner
  # each kind where packages have it; gzipped examples too
  take() { # KIND FIND-EXPRESSION...
    local kind=$1 file to
    shift
    while IFS= read -r -d '' file; do
      to=$corpus/$kind/$package/${file#"$work/tree/"}
      mkdir -p "$(dirname "$to")"
      case $file in *.gz) gunzip -c "$file" >"${to%.gz}" ;; *) cp "$file" "$to" ;; esac
    done < <(find "$work/tree" -type f "$@" -print0)
  }
  take logrotate -path '*/etc/logrotate.d/*'
  take sysctl -path '*/sysctl.d/*.conf'
  take nginx \( -path '*/etc/nginx/*' -o -name '*nginx*.conf' -o -name '*nginx*.conf.gz' -o -path '*nginx*/*.conf' \)
  rm -rf "$work/tree"
done

cd "$work/sources"
apt-get "${as_root[@]}" "${sources[@]}" update >/dev/null
for source in $(packages source); do
  apt-get "${as_root[@]}" "${sources[@]}" source --download-only "$source" >/dev/null || true
done
for archive in *.orig.tar.*; do
  mkdir -p "$corpus/nginx-tests/${archive%%_*}"
  tar xf "$archive" -C "$corpus/nginx-tests/${archive%%_*}" --strip-components=1 --wildcards --no-same-owner '*/t/*.t' || true
done
