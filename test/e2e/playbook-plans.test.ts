/** Every built-in playbook on a fresh host: the apply does the steps that the dry run told, and then the host is in sync. */
import { type Playbook, type Report, reconcile } from 'sak-reconcile'
import { t3Medium } from 'sak-reconcile/playbooks/t3-medium'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { t3SmallBusy } from 'sak-reconcile/playbooks/t3-small-busy'
import t from 'tap'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const playbooks: readonly Playbook[] = [
  t3Small({ overrides: 'remove' }),
  t3SmallBusy({ overrides: 'remove' }),
  t3Medium({ overrides: 'remove' }),
]

/** The steps of each task. */
const told = (report: Report) =>
  report.hosts[0]?.tasks.map(({ label, status, steps }) => ({ label, status, steps })) ?? []

/** A host that shares this machine's kernel has no swap, and may have less memory than a playbook is for. */
const run = (playbook: Playbook, dryRun: boolean) =>
  reconcile({
    playbook,
    inventory: inventoryOf([host]),
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
    skipTags: ['swapfile'],
    allowOverBudget: true,
    dryRun,
  })

for (const playbook of playbooks) {
  t.test(`${playbook.name}: what is applied is what was planned`, async t => {
    await host.restore()
    const planned = told(await run(playbook, true))
    const report = await run(playbook, false)
    t.equal(
      report.exitCode,
      0,
      JSON.stringify(report.hosts.map(({ error, tasks }) => [error, tasks.map(each => each.error)])),
    )
    const applied = told(report)
    const known = planned.filter(({ status }) => status !== 'deferred').map(({ label }) => label)
    const stepsOf = (tasks: typeof planned) =>
      tasks.filter(({ label }) => known.includes(label)).map(({ label, steps }) => [label, steps])
    t.same(stepsOf(applied), stepsOf(planned), 'the same steps of the same tasks in the same order')
    t.ok(known.length >= planned.length - 1 && stepsOf(planned).flat(2).length > 10, `of ${known.join(', ')}`)
    t.same(
      applied.map(({ label }) => label),
      planned.map(({ label }) => label),
      'and no other task',
    )
    const after = await run(playbook, true)
    t.same([after.exitCode, told(after).filter(({ steps }) => steps.length > 0)], [0, []], 'then nothing is left to do')
  })
}
