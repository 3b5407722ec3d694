/**
 * The memory budget held against reality: a full test host with the whole of `t3-small`, under the load that the budget plans for.
 * Prints what each task was planned to take, and the most that it took. `--light` takes a container instead, which is quicker, and knows
 * nothing of swap and of the kernel's own share; `--keep` leaves the host up.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reconcile } from 'sak-reconcile'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { inventoryOf, startHost, type TestHost } from '../test/e2e/harness.ts'
import { installApp, startLoad, stopLoad } from './memory/load.ts'
import { measure, peakOf, type Sample } from './memory/measure.ts'

const tier = process.argv.includes('--light') ? 'light' : 'full'
const { host, stop } = await startHost(tier)
try {
  await installApp(host)
  const site = { listen: [80], server_name: ['load.test'], upstream: 'backend' }
  const whole = t3Small({ overrides: 'remove', pm2: { takeOver: true }, nginx: { sites: { load: site } } })
  const playbook = tier === 'full' ? whole : whole.replace('swapfile', false).replace('sysctl', false)
  const report = await reconcile({
    playbook,
    inventory: inventoryOf([host]),
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts
  if (report.exitCode !== 0 || !found?.budget) throw new Error(`not applied: ${JSON.stringify(found, null, 1)}`)
  const idle = await measure(host)
  // PM2 restarts the app above 850; sessions: 50, without those that are for the superuser's use and ours
  await startLoad(host, { appMiB: 840, requests: 1400, sessions: 47 })
  const loaded = await watch(host)
  await stopLoad(host)
  table(found.budget.parts, idle, loaded)
} finally {
  if (!process.argv.includes('--keep')) await stop()
}

/** Looks until the load has been whole for a while. */
async function watch(on: TestHost): Promise<Sample> {
  const samples: Sample[] = []
  for (let count = 0; count < 12; count++) {
    samples.push(await measure(on))
    await sleep(3000)
  }
  return peakOf(samples)
}

function table(planned: readonly { task: string; MiB: number }[], idle: Sample, loaded: Sample): void {
  const row = (cells: readonly (string | number)[]) =>
    console.log(`| ${cells.map(cell => (typeof cell === 'number' ? Math.round(cell) : cell)).join(' | ')} |`)
  row(['part', 'planned', 'idle', 'under load', 'of it not in files', 'planned / under load'])
  row(['---', '---', '---', '---', '---', '---'])
  const at = (sample: Sample, name: string, key: 'pss' | 'held' = 'pss') =>
    (sample.parts.get(name)?.[key] ?? 0) + (name === 'system' ? sample.kernel : 0)
  for (const { task, MiB } of planned) {
    const most = at(loaded, task)
    row([task, MiB, at(idle, task), most, at(loaded, task, 'held'), (MiB / most).toFixed(2)])
  }
  const sum = (of: (name: string) => number) => planned.reduce((total, { task }) => total + of(task), 0)
  const all = sum(name => at(loaded, name))
  const plan = planned.reduce((total, { MiB }) => total + MiB, 0)
  row(['all', plan, sum(name => at(idle, name)), all, sum(name => at(loaded, name, 'held')), (plan / all).toFixed(2)])
  const load = loaded.parts.get('load')?.held ?? 0
  console.log(
    `MemTotal ${Math.round(loaded.total)}; not available (MemTotal - MemAvailable): idle ${Math.round(idle.used)}, under load ${Math.round(loaded.used)}, of which the load itself ${Math.round(load)}; kernel ${Math.round(loaded.kernel)}`,
  )
}
