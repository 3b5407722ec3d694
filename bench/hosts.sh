#!/bin/bash
# Accounts, each of which stands for a host: what lies in its home is that host's alone. A few sshd, because what a server has of accounts
# it reads in each check: a thousand in one /etc/passwd would be measured as if each server had them. In namespaces of their own, so
# that nothing of this machine changes and all ends with the shell that started it. Arguments: a directory for what is made, the port,
# how many hosts, and how many of them an sshd has.
set -eu
directory=$1 port=$2 count=$3 each=$4
mount --make-rprivate /
mount -t proc proc /proc
cp -a /etc "$directory/etc"
mount --bind "$directory/etc" /etc
mount -t tmpfs tmpfs /home
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
rm -f /etc/nologin

# ten files on each host: in sync, or all of them to be changed
for state in sync drift; do
  mkdir -p "/home/.$state"
  for file in 0 1 2 3 4 5 6 7 8 9; do
    if [ $state = sync ]; then value=$file; else value=old; fi
    echo "value = $value" >"/home/.$state/$file.conf"
  done
  chmod 644 "/home/.$state"/*
done
cat >"$directory/reset.sh" <<'RESET'
#!/bin/bash
# Puts the hosts 1 to COUNT back to a state, as if nothing had ever run there.
set -eu
state=$1 count=$2
for ((host = 1; host <= count; host++)); do
  rm -rf "/home/host$host"
  cp -r "/home/.$state" "/home/host$host"
  chown -R "$((20000 + host)):$((20000 + host))" "/home/host$host"
done
RESET
bash "$directory/reset.sh" sync "$count"
cat >"$directory/others.sh" <<'OTHERS'
#!/bin/bash
# Names those of the hosts 1 to COUNT that are not in a state: other contents, another owner or other modes.
set -eu
state=$1 count=$2
seen() { (cd "$1" && stat -c "%n ${2:-%u} ${2:-%g} %a" ./*.conf && cat ./*.conf) || true; }
for ((host = 1; host <= count; host++)); do
  [ "$(seen "/home/host$host")" = "$(seen "/home/.$state" "$((20000 + host))")" ] || echo "host$host"
done
OTHERS

cat >"$directory/machine.sh" <<'MACHINE'
#!/bin/bash
# An sshd for the hosts FROM to TO, each on its address. As if each connection went to a server of its own: no limits on all of them together.
set -eu
directory=$1 port=$2 from=$3 to=$4
own=$directory/machine$from
mkdir "$own"
cp -a /etc/passwd /etc/group /etc/shadow "$own"
seq "$from" "$to" | awk '{ printf "host%d:x:%d:%d::/home/host%d:/bin/bash\n", $1, 20000 + $1, 20000 + $1, $1 }' >>"$own/passwd"
seq "$from" "$to" | awk '{ printf "host%d:x:%d:\n", $1, 20000 + $1 }' >>"$own/group"
seq "$from" "$to" | awk '{ printf "host%d:*:19000::::::\n", $1 }' >>"$own/shadow"
for file in passwd group shadow; do mount --bind "$own/$file" "/etc/$file"; done
addresses=()
for ((host = from; host <= to; host++)); do addresses+=(-o "ListenAddress=127.1.$((host >> 8)).$((host & 255))"); done
exec /usr/sbin/sshd -f /dev/null -E "$directory/sshd.log" -o "Port=$port" "${addresses[@]}" \
  -o "HostKey=$directory/host_key" -o PidFile=none -o UsePAM=no -o UseDNS=no -o StrictModes=no \
  -o "AuthorizedKeysFile=$directory/id_ed25519.pub" -o PasswordAuthentication=no -o Subsystem="sftp internal-sftp" \
  -o MaxStartups=2000 -o MaxSessions=100 -o LoginGraceTime=120
MACHINE
for ((from = 1; from <= count; from += each)); do
  to=$((from + each - 1))
  unshare --mount bash "$directory/machine.sh" "$directory" "$port" "$from" "$((to < count ? to : count))"
done
echo ready
cat >/dev/null # until the bench goes away
