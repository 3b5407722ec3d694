import { definePlaybook, reconcile } from 'sak-reconcile'
import { nginxconf } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import type { z } from 'zod'
import { parseConfig } from '../../modules/nginxconf/parse.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const
const ours = '/etc/nginx/conf.d/60-sak.conf'
type Params = z.input<typeof nginxconf.params>

/** Section 5 of the t3.small guide, but buffers that a cookie fits in. */
const guide = {
  http: {
    keepalive_timeout: 65,
    keepalive_requests: 100,
    client_body_buffer_size: '16K',
    client_header_buffer_size: '1k',
    client_max_body_size: '10m',
    large_client_header_buffers: '4 8k',
    gzip: true,
    gzip_min_length: 1024,
    gzip_types: 'text/plain text/css application/json',
  },
  upstreams: { backend: { servers: ['localhost:5000'], keepalive: 32 } },
} satisfies Params
const removing = { ...guide, overrides: 'remove' } satisfies Params
const withSite = {
  ...guide,
  sites: { shop: { listen: [8080], server_name: ['shop.example'], upstream: 'backend', root: '/var/www/html' } },
} satisfies Params

async function run(params: Params, dryRun = false) {
  const playbook = definePlaybook({ name: 'web', tasks: () => [nginxconf(params)] })
  const report = await reconcile({
    playbook,
    inventory: inventoryOf([host]),
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [task] = report.hosts[0]?.tasks ?? []
  if (!task) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...task, keys: task.changes.map(change => change.key), trips: report.hosts[0]?.roundTrips ?? 0 }
}
const dry = (params: Params) => run(params, true)

async function isInSync(t: Test, params: Params, message = 'a second look finds nothing to do') {
  const again = await dry(params)
  t.match(again, { status: 'ok', keys: [] }, message)
  t.ok(again.trips <= 2, `${again.trips} round trips`)
}

/** Applies, and is in sync after it. `keys` are those that a dry run finds first. */
async function mends(t: Test, params: Params, keys: string[]) {
  t.same([...new Set((await dry(params)).keys)], keys, `finds ${keys.join(' and ') || 'nothing'}`)
  t.match(await run(params), { status: 'changed', error: null })
  await isInSync(t, params)
}

const read = (path: string) => host.output(`cat ${path}`, root)
const write = (path: string, content: string) => host.exec(`cat >${path}`, { ...root, stdin: content })
const workers = () => host.output('pgrep -f "^nginx: worker process$" | sort | xargs')
const master = () => host.output('systemctl show -p MainPID --value nginx')
const everything = () =>
  host.output(
    'find /etc/nginx /var/log/nginx /var/lib/nginx /run/nginx.pid /run/sak-reconcile -printf "%p %C@ %s\\n" 2>&1 || true',
    root,
  )

/** The host as it was before the test, configuration and all. */
async function keep(t: Test) {
  await host.exec('rm -rf /root/nginx && cp -a /etc/nginx /root/nginx', root)
  t.teardown(async () => {
    await host.exec('rm -rf /etc/nginx && cp -a /root/nginx /etc/nginx && systemctl restart nginx', root)
  })
}

t.test('looking writes nothing', async t => {
  const before = await everything()
  t.match(await dry(guide), { status: 'drift', keys: ['saved', 'running'] })
  t.equal(await everything(), before)
})

t.test('a stock host gets the guide’s settings without a duplicate, by a reload', async t => {
  const [oldMaster, oldWorkers] = [await master(), await workers()]
  const result = await run(guide)
  t.match(result, { status: 'changed', impact: 'reload', error: null })
  t.equal(await master(), oldMaster, 'not restarted')
  t.not(await workers(), oldWorkers)
  t.notMatch(await read(ours), /^gzip on/m, 'nginx.conf has it already')
  t.match(await host.output('nginx -T 2>&1 | grep -c "^gzip on;\\|^\tgzip on;"', root), '1')
  await isInSync(t, guide)
  t.match(await run(guide), { status: 'ok' }, 'a second apply changes nothing')
})

t.test('the reader reads every configuration that this host has', async t => {
  const list = 'find /etc/nginx /usr/share/nginx/modules-available -type f ! -name "*-utf" ! -name "koi-win"'
  for (const path of (await host.output(list)).split('\n')) {
    t.equal(parseConfig(await read(path)).error, undefined, path)
  }
})

t.test('each layer is found by itself', async t => {
  await t.test('a file changed by hand and loaded', async t => {
    await host.exec(`sed -i 's/^keepalive_timeout.*/keepalive_timeout 5;/' ${ours} && systemctl reload nginx`, root)
    await mends(t, guide, ['saved', 'running'])
  })
  await t.test('a file as wanted that nobody loaded: only running, and a reload', async t => {
    await host.exec(
      `cp -p ${ours} /root/ours && sed -i 's/^keepalive_timeout.*/keepalive_timeout 5;/' ${ours} && systemctl reload nginx && sleep 1 && cp -p /root/ours ${ours}`,
      root,
    )
    const oldWorkers = await workers()
    await mends(t, guide, ['running'])
    t.not(await workers(), oldWorkers)
  })
  await t.test('another file with its old times, and a file removed', async t => {
    await keep(t)
    await write('/etc/nginx/conf.d/10-other.conf', '# one\n')
    await mends(t, guide, ['running'])
    await host.exec(
      'cd /etc/nginx/conf.d; touch -r 10-other.conf /root/t; echo "# two" >10-other.conf; touch -r /root/t 10-other.conf',
      root,
    )
    await mends(t, guide, ['running'])
    await host.exec('rm /etc/nginx/conf.d/10-other.conf', root)
    await mends(t, guide, ['running'])
  })
  await t.test('what another reloaded is loaded', async t => {
    await host.exec('touch /etc/nginx/nginx.conf && sleep 0.2 && systemctl reload nginx && sleep 1', root)
    await isInSync(t, guide)
  })
  await t.test('a touched file is not a changed one', async t => {
    await host.exec('touch /etc/nginx/nginx.conf', root)
    await mends(t, guide, ['running'])
    await host.exec('touch /etc/nginx/nginx.conf /etc/nginx/conf.d', root)
    await isInSync(t, guide, 'once the digests are recorded')
  })
  await t.test('stopped and disabled', async t => {
    await host.exec('systemctl disable --now nginx', root)
    await mends(t, guide, ['running', 'boot'])
    t.equal(await host.output('systemctl is-active nginx; systemctl is-enabled nginx'), 'active\nenabled')
  })
  await t.test('after a reboot', async t => {
    await host.reboot()
    await isInSync(t, guide)
  })
})

t.test('nginx.conf says otherwise', async t => {
  await keep(t)
  await host.exec(
    "sed -i 's/\\tgzip on;/\\tgzip   off;  # slow/' /etc/nginx/nginx.conf && systemctl reload nginx",
    root,
  )
  const before = await read('/etc/nginx/nginx.conf')
  const reported = await run(guide)
  t.match(reported, { status: 'blocked', error: { code: 'override', message: /nginx.conf:46 has `gzip {3}off`/ } })
  t.equal(await read('/etc/nginx/nginx.conf'), before, 'reporting changes nothing')
  await mends(t, removing, ['saved', 'running'])
  t.equal(await read('/etc/nginx/nginx.conf'), before.replace('gzip   off;', 'gzip   on;'), 'every other byte stays')
})

/** A backend that tells how many connections it has been given. */
const counting = `let n = 0
require('http').createServer((q, r) => r.end(String(n))).on('connection', () => n++).listen(5055)`

t.test('keepalive to the upstream really works', async t => {
  await keep(t)
  await write('/root/count.js', counting)
  await host.exec(
    'systemd-run --unit=count node /root/count.js; for i in $(seq 50); do curl -sf localhost:5055 && break; sleep 0.2; done',
    root,
  )
  t.teardown(() => host.exec('systemctl stop count', root))
  const upstreams = { backend: { servers: ['127.0.0.1:5055'], keepalive: 8 } }
  const location =
    'server {\n  listen 8081;\n  location / {\n    include proxy_params;\n    proxy_pass http://backend;\n  }\n}\n'
  await write('/etc/nginx/sites-enabled/hand', location)
  const params = {
    ...guide,
    upstreams,
    sites: { own: { listen: [8082], server_name: ['own.example'], upstream: 'backend' } },
  }
  const connections = async (port: number) => {
    const count = async () => Number(await host.output(`curl -s localhost:${port}`))
    const before = await count()
    for (let i = 0; i < 10; i += 1) await count()
    return (await count()) - before
  }
  t.match(await run(params), {
    status: 'blocked',
    error: { message: /hand:5: .*proxy_params:\d+ drops the inherited/ },
  })
  await mends(t, { ...params, overrides: 'remove' }, ['saved', 'running'])
  t.equal(
    await read('/etc/nginx/sites-enabled/hand'),
    location.trimEnd().replace('    proxy_pass', '    proxy_set_header Connection "";\n    proxy_pass'),
  )
  t.ok((await connections(8081)) <= 2, 'through the location that was there (one connection a worker)')
  t.ok((await connections(8082)) <= 2, 'through our own site')
  await host.exec('sed -i "/Connection/d" /etc/nginx/sites-enabled/hand && systemctl reload nginx && sleep 1', root)
  t.ok((await connections(8081)) >= 10, 'and would not without it')
})

t.test('a site: static files first, all else to the upstream', async t => {
  await keep(t)
  await mends(t, withSite, ['saved', 'running'])
  const get = (path: string) => host.output(`curl -s -H "Host: shop.example" localhost:8080${path}`)
  t.match(await get('/index.nginx-debian.html'), /Welcome to nginx/)
  t.match(await get('/anything'), /nodeOptions/, 'the app')
  const taken = { ...withSite, sites: { shop: { ...withSite.sites.shop, listen: ['80 default_server'] } } }
  t.match(await run(taken), {
    status: 'blocked',
    error: { code: 'refused', message: /is the default server there already/ },
  })
})

/** Nobody who uses the server may notice: requests go on while the apply fails. */
async function unnoticed(t: Test, params: Params, said: RegExp) {
  const before = await host.output('find /etc/nginx -type f | sort | xargs sha256sum')
  const oldMaster = await master()
  const load = host.output(
    'touch /tmp/on; n=0; while [ -e /tmp/on ]; do curl -sf -m 5 -o /dev/null localhost/ || n=$((n+1)); sleep 0.02; done; echo $n',
  )
  const result = await run(params)
  await host.exec('sleep 0.5; rm /tmp/on')
  t.match(result, { status: 'failed', error: { code: 'step-failed', said, rollback: 'done' } })
  t.equal(await load, '0', 'no request failed')
  t.equal(await master(), oldMaster)
  t.equal(await host.output('find /etc/nginx -type f | sort | xargs sha256sum'), before, 'files are as they were')
  await isInSync(t, guide, 'and what was there runs')
  return result
}

t.test('what nginx refuses is taken back', async t => {
  await t.test('a value', async t => {
    await unnoticed(
      t,
      { ...guide, http: { ...guide.http, keepalive_timeout: 'soon' } },
      /\[emerg\].*keepalive_timeout.*60-sak.conf:\d+/,
    )
  })
  await t.test('a directive that it does not know', async t => {
    await unnoticed(t, { ...guide, http: { ...guide.http, no_such_thing: 'on' } }, /unknown directive "no_such_thing"/)
  })
  await t.test('a cache below a directory that is not there', async t => {
    const http = { ...guide.http, proxy_cache_path: '/var/none/here levels=1:2 keys_zone=api:1m' }
    await unnoticed(t, { ...guide, http }, /mkdir\(\) "\/var\/none\/here" failed/)
  })
  await t.test('a port that is taken: nginx -t and systemctl reload both succeed', async t => {
    const sites = { taken: { listen: [5432], server_name: ['a.example'], upstream: 'backend' } }
    const result = await unnoticed(
      t,
      { ...guide, sites },
      /did not load the new configuration[\s\S]*\[emerg\].*bind\(\)/,
    )
    t.match(result.error?.step, /waitFor/)
  })
  await t.test('a name that a server has whose address we could not compare', async t => {
    await keep(t)
    await write(
      '/etc/nginx/sites-enabled/x',
      'server { listen 0.0.0.0:8083; listen localhost:8084; server_name a.example; }\n',
    )
    await run(guide)
    const sites = { a: { listen: ['127.0.0.1:8084'], server_name: ['a.example'], upstream: 'backend' } }
    await unnoticed(t, { ...guide, sites }, /conflicting server name "a.example"/)
  })
})

t.test('a proxy cache for the larger tiers', async t => {
  await keep(t)
  t.teardown(() => host.exec('rm -rf /var/cache/nginx', root))
  const http = { ...guide.http, proxy_cache_path: '/var/cache/nginx levels=1:2 keys_zone=api_cache:10m' }
  await mends(t, { ...guide, http }, ['saved', 'running'])
  t.equal(await host.output('stat -c %U /var/cache/nginx'), 'www-data')
})

t.test('what was broken before we came is said to be so', async t => {
  await keep(t)
  await write('/etc/nginx/sites-enabled/bad', 'server {\n  listen 8085;\n  no_such_thing on;\n}\n')
  const changed = { ...guide, http: { ...guide.http, keepalive_timeout: 66 } }
  const result = await run(changed)
  t.match(result, {
    status: 'failed',
    error: { rollback: 'done', said: /no_such_thing[\s\S]*rejected before any change of ours, too/ },
  })
  await write('/etc/nginx/sites-enabled/bad', 'server {\n  listen 8085;\n')
  t.match(await dry(changed), {
    status: 'blocked',
    error: { code: 'refused', message: /before any change of ours: \S+bad:3/ },
  })
  await host.exec('rm /etc/nginx/sites-enabled/bad', root)
  await write(ours, 'gzip on;\nnonsense {')
  await mends(t, guide, ['saved', 'running'])
})

t.test('nginx that systemd did not start, and no nginx', async t => {
  await host.exec('systemctl stop nginx && nginx', root)
  t.match(await run(guide), { status: 'blocked', error: { code: 'unsupported', message: /systemd did not start it/ } })
  await host.exec('nginx -s quit; sleep 1; systemctl start nginx', root)
  await isInSync(t, guide)
  await host.exec('mv /usr/sbin/nginx /usr/sbin/nginx.away', root)
  t.match(await run(guide), { status: 'blocked', error: { code: 'not-installed', message: 'there is no nginx' } })
  await host.exec('mv /usr/sbin/nginx.away /usr/sbin/nginx', root)
  await isInSync(t, guide)
})
