/** What must not compile: `npm run types` fails where an error that is expected here does not come. */
import {
  defineConfig,
  defineInventory,
  defineModule,
  definePlaybook,
  file,
  type Report,
  reconcile,
  run,
  service,
  tasks,
  together,
  write,
} from 'sak-reconcile'
import { swapfile, sysctl } from 'sak-reconcile/modules'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import t from 'tap'
import { z } from 'zod'

/** Is never called: only its types are of interest. */
const never = (..._uses: readonly (() => unknown)[]) => {}

const params = z.strictObject({ text: z.string(), times: z.number().default(1) })
const motd = defineModule({
  name: 'motd',
  description: 'Keeps the message of the day.',
  params,
  impact: 'none',
  owns: ({ text }) => [text],
  check: async (host, { text, times }) => ({
    current: { saved: await host.file('/etc/motd'), running: 'off' },
    desired: { saved: file('/etc/motd', text.repeat(times)), running: 'on' as const },
  }),
  apply: ({ saved, running }, { times }, current) => {
    const before: string | null | undefined = saved?.before.content
    const after: 'on' | undefined = running?.after
    const count: number = times
    // @ts-expect-error what a key may be is known
    const wrong: number | undefined = running?.before
    return [
      saved && write(saved.after),
      run(['echo', before ?? '', after ?? '', String(count), current.running], { undo: 'none' }),
      wrong === 1 && service('x', 'reload'),
    ]
  },
})

t.test('params of modules', async t => {
  never(
    () => motd({ text: 'x' }, { label: 'mine', tags: ['a'] }),
    // @ts-expect-error a name that is none
    () => motd({ text: 'x', time: 2 }),
    // @ts-expect-error a param is missing
    () => motd({}),
    // @ts-expect-error of the wrong type
    () => motd({ text: 1 }),
    // @ts-expect-error an option that is none
    () => motd({ text: 'x' }, { tag: ['a'] }),
    () => together([motd({ text: 'x' }), undefined, [motd({ text: 'y' })]]),
    // @ts-expect-error tasks are wanted
    () => together(['x']),
    () => swapfile({ path: '/swapfile', size: '2G' }),
    // @ts-expect-error a unit that is none
    () => swapfile({ path: '/swapfile', size: '2GB' }),
    // @ts-expect-error no unit
    () => swapfile({ path: '/swapfile', size: 2048 }),
    // @ts-expect-error settings are missing
    () => sysctl({}),
  )
  t.pass('as the compiler says')
})

t.test('params of playbooks', async t => {
  const web = definePlaybook({
    name: 'web',
    params: z.strictObject({ domain: z.string(), nginx: z.strictObject({ port: z.number() }).optional() }),
    tasks: ({ domain, nginx }, { name, groups }) => {
      const port: number | undefined = nginx?.port
      return [motd({ text: [domain, name, ...groups, port].join() }), false, [undefined]]
    },
  })
  never(
    () => web({ domain: 'x' }).with({ nginx: { port: 1 } }),
    // @ts-expect-error a name that is none
    () => web({ domain: 'x', nginks: {} }),
    // @ts-expect-error of the wrong type, deep within
    () => web({ domain: 'x' }).with({ nginx: { port: '1' } }),
    () => motd({ text: 'x' }, { when: ({ facts }) => facts.os.id === 'debian' && facts.ramMiB > 1000 }),
    // @ts-expect-error a fact that is none
    () => motd({ text: 'x' }, { when: ({ facts }) => facts.ram > 1000 }),
    // @ts-expect-error a condition is true or false
    () => motd({ text: 'x' }, { when: ({ facts }) => facts.os.id }),
    () =>
      definePlaybook({ name: 'p', tasks: () => [tasks([t3Small, web({ domain: 'x' })], { tags: ['a'], when: true })] }),
    // @ts-expect-error an option that is none
    () => tasks([t3Small()], { tag: ['a'] }),
    () => t3Small().replace('sysctl', task => [task, motd({ text: 'x' })]),
    // @ts-expect-error what stands in its place is a task
    () => t3Small().replace('sysctl', 'motd'),
    // @ts-expect-error silence wants a reason
    () => motd({ text: 'x' }, { silence: { 'heap-above-restart': true } }),
    // @ts-expect-error a task is what calling a module gives
    () => definePlaybook({ name: 'p', tasks: () => [motd] }),
    () => t3Small({ postgres: { max_connections: 75 }, swap: { size: '1G' }, app: { port: 5001 } }),
    // @ts-expect-error a group that is none
    () => t3Small({ postgre: {} }),
    // @ts-expect-error a unit that is none
    () => t3Small({ swap: { size: '1GB' } }),
    // @ts-expect-error a unit that is none
    () => t3Small({ pm2: { kill_timeout: '5sec' } }),
    // @ts-expect-error a name that is none, deep within
    () => t3Small({ app: { prot: 5001 } }),
  )
  t.pass('as the compiler says')
})

t.test('modules', async t => {
  const rest = { name: 'm', description: 'x', params, impact: 'none', owns: () => [], apply: () => [] } as const
  never(
    // @ts-expect-error what is there and what should be have the same keys
    () => defineModule({ ...rest, check: async () => ({ current: { saved: 1 }, desired: { running: 1 } }) }),
    // @ts-expect-error a check only reads
    () => defineModule({ ...rest, check: async host => ({ current: await host.write(), desired: {} }) }),
    // @ts-expect-error how a step goes back must be said
    () => run(['true'], {}),
    // @ts-expect-error an impact that is none
    () => run(['true'], { undo: 'none', impact: 'reboot' }),
    // @ts-expect-error an action that is none
    () => service('nginx', 'kill'),
  )
  t.pass('as the compiler says')
})

t.test('runs, inventories, configs', async t => {
  const playbook = t3Small()
  const inventory = defineInventory({ hosts: { web1: { address: '10.0.0.5' } } })
  never(
    () => reconcile({ playbook, inventory, dryRun: true }).then((report: Report) => report.hosts[0]?.tasks[0]?.status),
    // @ts-expect-error an option that is none
    () => reconcile({ playbook, inventory, dryrun: true }),
    // @ts-expect-error an impact that is none
    () => reconcile({ playbook, inventory, allow: 'everything' }),
    // @ts-expect-error no playbook
    () => reconcile({ inventory }),
    // @ts-expect-error a setting that is none
    () => defineInventory({ hosts: { web1: { adress: '10.0.0.5' } } }),
    // @ts-expect-error a key that is none
    () => defineConfig({ playbok: playbook }),
    () => defineConfig({ playbook: t3Small, inventory: ['hosts.ini', 'web9,'], vars: { swap: { size: '1G' } } }),
  )
  t.pass('as the compiler says')
})
