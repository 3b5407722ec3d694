import { nginxconf, pgconf, pm2eco } from 'sak-reconcile/modules'
import { t3Medium } from 'sak-reconcile/playbooks/t3-medium'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { t3SmallBusy } from 'sak-reconcile/playbooks/t3-small-busy'
import t from 'tap'
import { budgetOf } from '../../src/core/budget.ts'
import { fakeFacts } from '../../src/testing.ts'

const host = { name: 'web1', groups: [], vars: {} }
const facts = fakeFacts({ ramMiB: 1928, cores: 2 })

t.test("the guide's defaults fit the 1928 MiB of a t3.small", async t => {
  const budget = budgetOf(t3Small().tasksFor(host), facts)
  t.match(budget, {
    ramMiB: 1928,
    plannedMiB: 1695,
    parts: [
      // 128 + 50 x (2 + 3) + 32 + 4
      { task: 'pgconf', MiB: 414 },
      { task: 'pm2eco', MiB: 850 },
      // 2 x (1 + 768 x (17k + 8.5k))
      { task: 'nginxconf', MiB: 41 },
      { task: 'pm2logrotate', MiB: 40 },
      { task: 'system', MiB: 350 },
    ],
  })
})

t.test('so do the other tiers those of theirs; a second process of the app does not', async t => {
  const planned = (playbook: ReturnType<typeof t3Small>) => budgetOf(playbook.tasksFor(host), facts)?.plannedMiB ?? 0
  t.ok(planned(t3SmallBusy()) < 1928)
  t.ok(planned(t3Medium()) < 3800)
  t.equal(planned(t3Small({ pm2: { instances: 2 } })), 1695 + 850)
})

t.test('what a task takes follows from its params', async t => {
  const MiB = (task: ReturnType<typeof pgconf>) => task.footprint?.(facts)?.MiB
  t.equal(MiB(pgconf({ settings: {} })), 128 + 100 * (4 + 3) + 64 + 4, "PostgreSQL's own defaults")
  t.equal(MiB(pgconf({ settings: { shared_buffers: '8GB', max_connections: 1, wal_buffers: -1 } })), 8192 + 7 + 64 + 16)
  const zones = { proxy_cache_path: '/var/cache/a keys_zone=a:10m', limit_req_zone: '$host zone=b:1m rate=1r/s' }
  const plain = MiB(nginxconf({ http: {} })) ?? 0
  t.equal(MiB(nginxconf({ http: zones })), plain + 11)
  t.equal(MiB(nginxconf({ http: { client_body_buffer_size: '32k' } })), plain + (2 * 768 * 16) / 1024)
  const app = { name: 'shop', script: 'a.js', cwd: '/srv/shop' }
  const apps = [
    { ...app, instances: 'max', max_memory_restart: '1G' } as const,
    { ...app, name: 'cron', env: { NODE_OPTIONS: '--max_old_space_size=64 --max-old-space-size=256' } },
    { ...app, name: 'boundless' },
  ]
  const footprint = pm2eco({ apps }).footprint?.(fakeFacts({ ramMiB: 1928, cores: 4 }))
  t.equal(footprint?.MiB, 4 * 1024 + 256)
  t.match(footprint?.what, /4 x max_memory_restart 1024; .*256; boundless: has no limit/)
})
