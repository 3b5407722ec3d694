import { logrotate, nginxconf, pgconf, pm2eco, pm2logrotate, swapfile, sysctl } from 'sak-reconcile/modules'
import { t3Medium } from 'sak-reconcile/playbooks/t3-medium'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import t from 'tap'
import { advise } from '../../src/core/advise.ts'
import { budgetOf } from '../../src/core/budget.ts'
import { factsOf, type KnownFacts } from '../../src/core/facts.ts'
import type { Task } from '../../src/core/task.ts'

const box: KnownFacts = { ramMiB: 1928, cores: 2, rootDiskMiB: 29_588 }
const ec2: KnownFacts = { ...box, 'machine.vendor': 'Amazon EC2', 'machine.product': 't3.small' }
const host = { name: 'web1', groups: [], vars: {} }

const adviceOn = (tasks: readonly Task[], known = box) =>
  advise({ tasks, whole: tasks, known, budget: budgetOf(tasks, factsOf(known)), silence: {} }).advice
const ids = (tasks: readonly Task[], known = box) => adviceOn(tasks, known).map(({ id }) => id)

t.test("the guide's own numbers contradict each other where they are known to", async t => {
  const found = adviceOn(t3Small().tasksFor(host), ec2)
  t.match(found, [
    { id: 'heap-above-restart', task: 'pm2eco', message: /850M.*1024 MiB/, suggestion: /=680, / },
    { id: 'cpu-credits', task: 'pm2eco', message: /a t3.small earns CPU credits for 20% of each vCPU/ },
    { id: 'small-header-buffers', task: 'nginxconf', message: /longer than 1k .*400, 414/, suggestion: /'4 8k'/ },
  ])
  t.same(found.length, 3)
  const better = { pm2: { max_old_space_size: 680 }, nginx: { http: { large_client_header_buffers: '4 8k' } } }
  t.same(ids(t3Small(better).tasksFor(host)), [])
  t.same(ids(t3Medium().tasksFor(host), { ...box, ramMiB: 3900 }), ['small-header-buffers'])
})

const app = { name: 'shop', script: 'a.js', cwd: '/srv/shop' }
const apps = (more: object = {}) => pm2eco({ apps: [{ ...app, ...more }], user: 'ubuntu' })

t.test('apps', async t => {
  t.same(ids([apps({ max_memory_restart: '1G', node_args: '--max-old-space-size=1024' })]), ['heap-above-restart'])
  t.same(ids([apps({ max_memory_restart: '1G', node_args: '--max-old-space-size=1023' })]), [])
  t.same(ids([apps({ node_args: '--max-old-space-size=1024' })]), [])
  t.same(ids([apps({ instances: 3 })]), ['more-instances-than-cores'])
  t.same(ids([apps({ instances: 2 })]), [])
  t.same(ids([apps({ instances: 'max' })]), [])
  t.same(ids([apps()], { ...ec2, 'machine.product': 't4g.2xlarge' }), ['cpu-credits'])
  t.same(ids([apps()], { ...ec2, 'machine.product': 'm7i.large' }), [])
})

t.test('two rotators, and logs that nobody tells the app of', async t => {
  const rotate = (stanza: object) => logrotate({ stanzas: [{ paths: ['/home/ubuntu/.pm2/logs/*.log'], ...stanza }] })
  const pm2 = pm2logrotate({ user: 'ubuntu' })
  t.match(adviceOn([apps({ error_file: '/srv/x.err' }), pm2, rotate({})]), [
    { id: 'two-rotators', task: 'logrotate', message: /both rotate \/home\/ubuntu\/.pm2\/logs\/shop-out.log/ },
  ])
  t.same(ids([apps(), rotate({})]), [], 'there is one rotator alone')
  t.same(ids([apps(), pm2logrotate({ user: 'other' }), rotate({})]), [], 'of another PM2')
  t.same(ids([apps(), rotate({ create: true })]), ['logs-lost-after-rotation'])
  t.same(ids([apps(), rotate({ paths: ['/srv/shop/logs/*.log'], copytruncate: false })]), ['logs-lost-after-rotation'])
  t.same(ids([apps(), rotate({ create: true, postrotate: 'kill -USR1 1' })]), [])
  t.same(ids([apps(), rotate({ paths: ['/var/log/nginx/*.log'], create: true })]), [])
})

t.test('swap, PostgreSQL, nginx', async t => {
  const swappiness = sysctl({ settings: { 'vm.swappiness': 10 } })
  const swap = (size: '2G' | '1G', known = box) => adviceOn([swapfile({ size }), swappiness], known)
  t.same(swap('2G'), [])
  t.match(swap('2G', { ...box, rootDiskMiB: 8_000 }), [{ id: 'swap-on-small-disk', suggestion: /^size: '1600M'/ }])
  t.same(swap('1G', { ...box, rootDiskMiB: 8_000 }), [])
  t.same(swap('2G', { ...box, rootDiskMiB: undefined }), [], 'what the host does not tell is not guessed')
  t.same(ids([swapfile({ size: '1G' })]), ['swap-without-swappiness'])
  t.same(ids([swapfile({ state: 'absent' })]), [])
  const postgres = (settings: Parameters<typeof pgconf>[0]['settings']) => ids([pgconf({ settings })])
  t.same(postgres({ shared_buffers: '900MB', effective_cache_size: '2GB' }), [
    'shared-buffers-large',
    'cache-size-above-memory',
  ])
  t.same(postgres({ shared_buffers: '700MB', effective_cache_size: '1GB', max_connections: 20 }), [])
  t.same(ids([nginxconf({ http: { large_client_header_buffers: '4 4k' } })]), [])
  t.same(ids([nginxconf({ http: { large_client_header_buffers: '4 4095' } })]), ['small-header-buffers'])
})

t.test('where the sum fits but barely', async t => {
  const near = adviceOn([apps({ max_memory_restart: '1386M' })])
  t.match(near, [{ id: 'memory-near-limit', task: 'pm2eco', message: /^90% of the host's 1928 MiB/ }])
  t.same(ids([apps({ max_memory_restart: '1380M' })]), [])
  t.same(ids([apps({ max_memory_restart: '1600M' })]), [], 'what does not fit is refused')
})
