#!/bin/bash
# configure.sh ROOT PUBLIC_KEY PM2_VERSION: makes a bare Debian tree the stock box before anybody tunes it:
# the users, sshd, the app's code and its PM2, and nothing of what sak-reconcile is there to manage.
set -euo pipefail
root=$1 public_key=$2 pm2_version=$3
here=$(dirname "$(readlink -f "$0")")
app=/var/www/sak-whatsapp-api

inside() { chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }

users() {
  inside useradd -m -s /bin/bash -u 1000 -G sudo,adm ubuntu
  inside useradd -m -s /bin/bash -u 1001 -G sudo,adm admin
  # A locked password ("!") would make sshd refuse the key too; "*" is merely a password that nothing matches.
  echo 'ubuntu:*' | inside chpasswd -e
  echo 'admin:s3cret pw' | inside chpasswd
  echo 'ubuntu ALL=(ALL) NOPASSWD:ALL' >"$root/etc/sudoers.d/90-cloud-init-users"
  chmod 440 "$root/etc/sudoers.d/90-cloud-init-users"
  local user
  for user in ubuntu admin; do
    install -d -m 700 "$root/home/$user/.ssh"
    install -m 600 "$public_key" "$root/home/$user/.ssh/authorized_keys"
    inside chown -R "$user:$user" "/home/$user/.ssh"
  done
  printf 'PasswordAuthentication no\n' >"$root/etc/ssh/sshd_config.d/50-cloud.conf"
}

application() {
  install -d "$root$app/logs"
  install -m 644 "$here/app/server.js" "$root$app/server.js"
  printf '{ "name": "sak-whatsapp-api", "version": "1.0.0", "private": true, "main": "server.js" }\n' \
    >"$root$app/package.json"
  inside chown -R ubuntu:ubuntu "$app"
}

# node and npm are this machine's; PM2 comes from the npm registry.
node_and_pm2() {
  local modules=/usr/lib/node_modules npm
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  mkdir -p "$root$modules"
  cp "$(readlink -f "$(command -v node)")" "$root/usr/bin/node"
  cp -a "$npm" "$root$modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
  inside node --version >/dev/null || {
    echo "configure: this machine's node needs libraries that a Debian 12 host lacks" >&2
    return 1
  }
  npm install --global --loglevel=error --no-audit --no-fund --prefix "$root/usr" "pm2@$pm2_version"
  pm2_unit
  npm_cache
}

# As `pm2 startup systemd -u ubuntu --hp /home/ubuntu` writes it.
pm2_unit() {
  cat >"$root/etc/systemd/system/pm2-ubuntu.service" <<'UNIT'
[Unit]
Description=PM2 process manager
Documentation=https://pm2.keymetrics.io/
After=network.target

[Service]
Type=forking
User=ubuntu
LimitNOFILE=infinity
LimitNPROC=infinity
LimitCORE=infinity
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=PM2_HOME=/home/ubuntu/.pm2
PIDFile=/home/ubuntu/.pm2/pm2.pid
Restart=on-failure

ExecStart=/usr/lib/node_modules/pm2/bin/pm2 resurrect
ExecReload=/usr/lib/node_modules/pm2/bin/pm2 reload all
ExecStop=/usr/lib/node_modules/pm2/bin/pm2 kill

[Install]
WantedBy=multi-user.target
UNIT
}

# The hosts have no network: ubuntu's npm cache holds pm2-logrotate, so that `pm2 install pm2-logrotate` works.
npm_cache() {
  local scratch
  scratch=$(mktemp -d)
  (cd "$scratch" && npm init -y >/dev/null &&
    npm install --loglevel=error --no-audit --no-fund --cache "$root/home/ubuntu/.npm" pm2-logrotate@latest)
  rm -rf "$scratch" "$root/home/ubuntu/.npm/_logs"
  # The cache is keyed by the registry's address, which need not be the default one here.
  printf 'registry=%s\noffline=true\naudit=false\nfund=false\nupdate-notifier=false\n' "$(npm config get registry)" \
    >"$root/home/ubuntu/.npmrc"
  inside chown -R ubuntu:ubuntu /home/ubuntu/.npm /home/ubuntu/.npmrc
}

network() {
  echo sak-host >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 sak-host\n' >"$root/etc/hosts"
  mkdir -p "$root/etc/systemd/network" "$root/etc/systemd/system/systemd-networkd.service.d"
  printf '[Match]\nName=en* eth*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
    >"$root/etc/systemd/network/10-en.network"
  # Light hosts find their address set from outside.
  printf '[Unit]\nConditionVirtualization=vm\n' >"$root/etc/systemd/system/systemd-networkd.service.d/vm.conf"
  : >"$root/etc/resolv.conf"
}

boot() {
  inside systemctl --quiet enable systemd-networkd pm2-ubuntu.service nginx postgresql ssh cron logrotate.timer
  echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
  # What only costs time on a host that lives for minutes.
  local unit
  for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service dpkg-db-backup.timer \
    systemd-networkd-wait-online.service getty@tty1.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  : >"$root/etc/machine-id"
  rm -rf "$root"/boot/initrd* "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/*
}

users
application
node_and_pm2
network
boot
