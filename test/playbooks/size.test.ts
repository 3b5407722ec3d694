import fc from 'fast-check'
import { sizeBytes } from 'sak-reconcile'
import { size } from 'sak-reconcile/playbooks/size'
import { t3Medium } from 'sak-reconcile/playbooks/t3-medium'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { t3SmallBusy } from 'sak-reconcile/playbooks/t3-small-busy'
import t from 'tap'

const small = { ramMiB: 2048, vcpus: 2, storage: 'ssd', sessions: 10 } as const

t.test("a t3.small gets exactly the guide's numbers", async t => {
  t.strictSame(size(small), {
    pm2: { instances: 1, max_memory_restart: '850M', max_old_space_size: 1024 },
    postgres: {
      shared_buffers: '128MB',
      effective_cache_size: '512MB',
      maintenance_work_mem: '32MB',
      work_mem: '2MB',
      max_connections: 50,
      checkpoint_completion_target: 0.9,
      wal_buffers: '4MB',
      random_page_cost: 1.1,
      effective_io_concurrency: 200,
    },
    swap: { size: '2G' },
    nginx: { cache: false },
  })
})

t.test('10 to 20 sessions on the same box: more connections, and the cache', async t => {
  const { postgres, ...rest } = size(small)
  t.strictSame(size({ ...small, sessions: 20 }), {
    ...rest,
    postgres: { ...postgres, max_connections: 75 },
    nginx: { cache: true },
  })
})

t.test('a t3.medium keeps the shares of twice the memory', async t => {
  t.match(size({ ...small, ramMiB: 4096, sessions: 20 }), {
    pm2: { instances: 1, max_memory_restart: '1700M', max_old_space_size: 1360 },
    postgres: { shared_buffers: '256MB', work_mem: '4MB', max_connections: 75, wal_buffers: '8MB' },
    swap: { size: '4G' },
    nginx: { cache: true },
  })
})

t.test('disks that turn, and more processors', async t => {
  t.match(size({ ...small, storage: 'hdd' }).postgres, { random_page_cost: 4, effective_io_concurrency: 1 })
  t.match(size({ ...small, vcpus: 8 }).postgres, { max_parallel_workers: 8, max_parallel_workers_per_gather: 4 })
})

t.test('any box has params that the playbooks take, and app and database fit into it', async () => {
  const box = fc.record({
    ramMiB: fc.integer({ min: 512, max: 1_048_576 }),
    vcpus: fc.integer({ min: 1, max: 64 }),
    storage: fc.constantFrom('ssd', 'hdd'),
    sessions: fc.integer({ min: 0, max: 500 }),
  })
  fc.assert(
    fc.property(box, given => {
      const sized = size(given)
      t3Small(sized).tasksFor({ name: 'web1', groups: [], vars: {} })
      const { pm2, postgres } = sized
      const appMiB = sizeBytes(pm2.max_memory_restart) / 1024 ** 2
      return appMiB + Number.parseInt(postgres.shared_buffers, 10) < given.ramMiB / 2
    }),
    { numRuns: 50 },
  )
})

t.test('what is no box is refused', async t => {
  t.throws(() => size({ ...small, ramMiB: 2 }), { name: 'RangeError', message: /ramMiB/ }, 'GiB instead of MiB, say')
  t.throws(() => size({ ...small, sessions: -1 }), { name: 'RangeError', message: /sessions/ })
})

t.test('a playbook for each tier, with its own defaults, which can be overridden', async t => {
  const http = (playbook: ReturnType<typeof t3Small>) =>
    playbook
      .tasksFor({ name: 'web1', groups: [], vars: {} })
      .find(task => task.module === 'nginxconf')
      ?.owns.filter(thing => thing.includes('cache'))
  t.same(http(t3Small()), [])
  t.ok(http(t3SmallBusy())?.includes('nginx:http.proxy_cache_path api_cache'))
  t.same(http(t3Medium({ nginx: { cache: false } })), [])
  t.same([t3SmallBusy().name, t3Medium().name], ['t3-small-busy', 't3-medium'])
})
