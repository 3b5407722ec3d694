import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { definePlaybook, type Report, reconcile, type Step } from 'sak-reconcile'
import { connect } from '../../src/connections/connect.ts'
import type { Connection } from '../../src/core/connection.ts'
import { defineInventory } from '../../src/core/inventory.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { lockHost } from '../../src/engine/host-lock.ts'
import { mergeSteps } from '../../src/engine/merge-steps.ts'
import { planHost } from '../../src/engine/plan-host.ts'
import { inventoryOf, type TestHost } from '../e2e/harness.ts'
import { startProxy } from '../e2e/ssh-proxy.ts'
import type { Subject } from './subjects.ts'

const options = { connect: { sshConfigPath: 'none', hostKeyChecking: 'off' }, allowOverBudget: true } as const

export type Inventory = ReturnType<typeof inventoryOf>

const playbookOf = ({ name, tasks }: Subject) => definePlaybook({ name, tasks: () => tasks })()

/** One run over a host, the product's own. */
export async function runOn(inventory: Inventory, subject: Subject, dryRun = false): Promise<Report> {
  return reconcile({ ...options, playbook: playbookOf(subject), inventory, dryRun, lockWaitSeconds: 120 })
}

export const dryRun = (host: TestHost, subject: Subject) => runOn(inventoryOf([host]), subject, true)
export const apply = (host: TestHost, subject: Subject) => runOn(inventoryOf([host]), subject)

/** A run through a wire that can be cut. */
export async function applyByProxy(host: TestHost, subject: Subject) {
  const proxy = await startProxy(host.port, { address: host.address })
  const inventory = inventoryOf([{ ...host, address: '127.0.0.1', port: proxy.port }])
  return { ended: runOn(inventory, subject).finally(proxy.close), cut: proxy.cut }
}

/** A run by a process of its own, that can be killed. */
export function applyByProcess(host: TestHost, subject: Subject) {
  const controller = fileURLToPath(new URL('./controller.ts', import.meta.url))
  const args = [
    '--import=tsx',
    '--conditions=sak-source',
    controller,
    subject.name,
    JSON.stringify(inventoryOf([host])),
  ]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  return { ended: new Promise(resolve => child.once('exit', resolve)), kill: () => void child.kill('SIGKILL') }
}

/** What the next apply does first: it takes the lock, and undoes what was left. Answers how many journals that were. */
export async function recover(host: TestHost): Promise<number> {
  return connected(host, async connection => {
    const lock = await lockHost(connection, { runId: 'campaign', waitSeconds: 120 })
    await lock.release()
    return lock.recovered.length
  })
}

/** The steps of an apply, in the order in which they run. */
export async function stepsOf(host: TestHost, subject: Subject): Promise<readonly Step[]> {
  return connected(host, async connection => {
    const freshReader = () => batchReads(connection, { deadlineMs: 120_000 })
    const tasks = playbookOf(subject).tasksFor({ name: host.name, groups: [], vars: {} })
    const { results } = await planHost({ connection, freshReader }, tasks, { allow: 'data' })
    return mergeSteps(results.map(({ steps }) => steps)).map(({ step }) => step)
  })
}

async function connected<T>(host: TestHost, act: (connection: Connection) => Promise<T>): Promise<T> {
  const [target] = defineInventory(inventoryOf([host])).hosts.values()
  if (!target) throw new Error('the inventory has no host')
  const connection = await connect(target, options.connect)
  try {
    return await act(connection)
  } finally {
    await connection.close()
  }
}
