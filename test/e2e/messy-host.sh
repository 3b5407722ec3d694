#!/bin/bash
# Run as root on a stock test host: makes it a host on which people have worked by hand for years. Each thing is
# somebody's own idea of what the t3.small playbook sets, with things beside it that are none of the playbook's business.
set -euo pipefail
app=/var/www/sak-whatsapp-api

swap() {
  # A swap file of 64 MiB where ours goes, readable by all and in use, and another one elsewhere.
  head -c 64M /dev/zero >/swapfile
  chmod 644 /swapfile
  head -c 32M /dev/zero >/var/old.swap
  chmod 600 /var/old.swap
  mkswap /swapfile
  mkswap /var/old.swap
  {
    printf '# /etc/fstab: static file system information.\n#\n# <file system>\t<mount point>\t<type>\t<options>\t<dump>\t<pass>\n'
    printf '/dev/vda   /\text4    defaults,errors=remount-ro 0 1   # the disk\n\n'
    printf '  # added 2019-03-12, Tom\n/swapfile\tnone\tswap\tsw\t0\t0\n'
    printf '/var/old.swap swap swap defaults,pri=3 0 0\n'
    # Without a newline at its end, as an editor left it.
    printf '#tmpfs\t/tmp\ttmpfs\tnosuid,size=10%%\t0 0'
  } >/etc/fstab
  systemctl daemon-reload
  swapon -a
}

kernel() {
  printf '# Performance tuning, from a blog\nnet.core.somaxconn = 1024\nvm.swappiness=100\n\n; keep\nkernel.panic = 10\n' \
    >/etc/sysctl.d/99-zz-tuning.conf
  printf '\n# Tom: cache more\nvm/vfs_cache_pressure\t=  200\nfs.file-max = 200000\n' >>/etc/sysctl.conf
  sysctl --quiet --system
}

postgresql() {
  local etc=/etc/postgresql/15/main
  printf '# pgtune, "web application"\nwork_mem = 64MB\t# per sort!\nlog_min_duration_statement = 2s\nmax_connections = 20\n' \
    >$etc/conf.d/99-pgtune.conf
  chown postgres:postgres $etc/conf.d/99-pgtune.conf
  su postgres -c 'cd /; psql -Xq' <<'SQL'
ALTER SYSTEM SET shared_buffers = '64MB';
ALTER SYSTEM SET random_page_cost = 4;
ALTER SYSTEM SET log_lock_waits = on;
CREATE ROLE api LOGIN;
ALTER ROLE api SET work_mem = '32MB';
ALTER ROLE api SET statement_timeout = '30s';
CREATE DATABASE api OWNER api;
ALTER DATABASE api SET maintenance_work_mem = '256MB';
ALTER DATABASE api SET search_path = api, public;
SQL
  systemctl restart postgresql@15-main
}

nginx() {
  cat >/etc/nginx/conf.d/tuning.conf <<'CONF'
# Compression
gzip_vary	on;
gzip_types   text/plain
             application/xml;   # no images
gzip_min_length 256;

keepalive_timeout   5s  4;   server_tokens off;
client_max_body_size 1m;
CONF
  cat >/etc/nginx/sites-available/api <<'CONF'
# Who wrote this?
map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}

upstream backend {
    server 127.0.0.1:5000 max_fails=0; # the API
}

server {
    listen 80 default_server;
    server_name api.example.com _;
	client_max_body_size 50m; # uploads

    location / {
        proxy_pass http://backend;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
    }

    location /socket.io/ {
        proxy_pass http://backend;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_read_timeout 1h;
    }

    location /files/ { root /srv; }
}
CONF
  ln -sf ../sites-available/api /etc/nginx/sites-enabled/api
  rm /etc/nginx/sites-enabled/default
  systemctl reload nginx
}

logs() {
  cat >/etc/logrotate.d/api <<'CONF'
# keep for the auditors
/var/www/sak-whatsapp-api/logs/*.log {
	weekly
	rotate 52
	nocompress
	missingok
}

/srv/files/*.log {
	monthly
	missingok
}
CONF
}

# As ubuntu: an app started by hand beside a file that says otherwise, in a cluster and not saved since, which logs where
# logrotate and pm2-logrotate both rotate; and a boot unit for a Node.js that is gone.
pm2_by_hand() {
  cat >$app/ecosystem.config.js <<'JS'
// pm2 start ecosystem.config.js --env staging
const memory = '300M'

module.exports = {
  apps: [{ name: 'sak-whatsapp-api', script: './server.js', max_memory_restart: memory, env: { NODE_ENV: 'development' } }],
}
JS
  chown ubuntu:ubuntu $app/ecosystem.config.js
  sed -i 's|/usr/lib/node_modules/pm2/bin/pm2|/home/ubuntu/.nvm/versions/node/v16.20.2/lib/node_modules/pm2/bin/pm2|' \
    /etc/systemd/system/pm2-ubuntu.service
  systemctl daemon-reload
  # What pm2-logrotate shall do was set when it was installed; of the logs of a day its dateFormat keeps the last.
  su - ubuntu -c "
    set -e
    sed 's|/home/ubuntu/.pm2/logs/sak-whatsapp-api-out.log|$app/logs/out.log|' ~/.pm2/dump.pm2 >~/saved
    pm2 kill
    mv ~/saved ~/.pm2/dump.pm2
    echo '{ \"pm2-logrotate\": { \"max_size\": \"1G\", \"retain\": \"all\", \"dateFormat\": \"YYYY-MM-DD\" }, \"other\": { \"x\": 1 } }' \
      >~/.pm2/module_conf.json
    cd $app
    API_TOKEN=s3cret NODE_ENV=staging DEBUG='api:*' PORT=5000 \
      pm2 start server.js --name sak-whatsapp-api --instances 2 --max-memory-restart 300M \
      --output logs/out.log
    pm2 install pm2-logrotate
  "
}

for each in swap kernel postgresql nginx logs pm2_by_hand; do
  "$each" >/dev/null
done
