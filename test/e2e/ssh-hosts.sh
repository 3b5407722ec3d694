#!/bin/bash
# Real sshds with users of every kind, inside namespaces of their own: this machine's /etc, /home and /run stay as they are,
# and whatever runs here ends with the shell that started it. Arguments: a directory for all that is made, the repository
# (to be found in /srv), and the ports of the servers, name=port ...
set -eu
hosts=$1
repository=$2
shift 2
mount --make-rprivate /
mount -t proc proc /proc
cp -a /etc "$hosts/etc"
mount --bind "$hosts/etc" /etc
mount -t tmpfs tmpfs /home
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
mount --bind "$repository" /srv
rm -f /etc/sudoers.d/* /etc/nologin

password=$(cat "$hosts/password")
user() { # name, shell
  useradd --create-home --home-dir "/home/$1" --shell "$2" "$1"
  echo "$1:$password" | chpasswd
  mkdir -m 700 "/home/$1/.ssh"
  cat "$hosts"/*.pub > "/home/$1/.ssh/authorized_keys"
  chown -R "$1" "/home/$1"
}
for name in plain nopass pass untty pty own forced; do user "sak-$name" /bin/bash; done
user sak-dash /bin/dash
user sak-fish "$(command -v fish)"
user sak-csh "$(command -v tcsh)"
user sak-nologin /usr/sbin/nologin
user sak-noisy /bin/bash
printf '%s\n' 'echo noise on stdout' 'echo noise on stderr >&2' 'printf "\033[31m\377"' > /home/sak-noisy/.bashrc
cat > /etc/sudoers.d/sak <<'SUDOERS'
Defaults lecture=always
Defaults:sak-untty requiretty
Defaults:sak-pty use_pty
sak-nopass ALL=(ALL) NOPASSWD: ALL
sak-untty ALL=(ALL) NOPASSWD: ALL
sak-pty ALL=(ALL) NOPASSWD: ALL
sak-pass ALL=(ALL) ALL
sak-fish ALL=(ALL) ALL
sak-csh ALL=(ALL) ALL
sak-noisy ALL=(ALL) ALL
sak-own ALL=(sak-dash) ALL
SUDOERS
chmod 440 /etc/sudoers.d/sak

cat > "$hosts/base.conf" <<CONF
ListenAddress 127.0.0.1
HostKey $hosts/host_ed25519
HostKey $hosts/host_rsa
PidFile none
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp none
StrictModes no
Match User sak-forced
  ForceCommand echo only this
CONF
declare -A extra=(
  [main]=''
  [password]='-o PasswordAuthentication=yes -o PubkeyAuthentication=no'
  [questions]='-o UsePAM=yes -o KbdInteractiveAuthentication=yes -o PubkeyAuthentication=no'
  [nothing]='-o AuthorizedKeysFile=none'
  [both]='-o AuthenticationMethods=publickey,password -o PasswordAuthentication=yes'
  [fewtries]='-o MaxAuthTries=2'
  [onesession]='-o MaxSessions=1'
  [startups]='' # its default, 10:30:100
  [unforwarding]='-o AllowTcpForwarding=no'
  [oldkex]='-o KexAlgorithms=sntrup761x25519-sha512@openssh.com'
  [chatty]="-o Banner=$hosts/banner"
)
printf 'A banner\n\033[31mwith colour\n' > "$hosts/banner"
for pair in "$@"; do
  # shellcheck disable=SC2086
  /usr/sbin/sshd -f "$hosts/base.conf" -E "$hosts/sshd-${pair%%=*}.log" -o "Port=${pair##*=}" ${extra[${pair%%=*}]}
done
echo ready
cat > "$hosts/commands" # until the test goes away
