import { SakError } from '../core/errors.ts'
import { type PlannedHost, planDigest, secretPlanDigest } from '../core/plan-file.ts'
import { noSecrets, type Vault } from '../core/vault.ts'
import type { Ask } from './overlay.ts'
import type { HostPlan } from './plan-host.ts'
import { reportTask } from './report-task.ts'
import { whatChanged } from './stale.ts'
import type { TaskResult } from './task-result.ts'

/** The plan of a host that was reviewed, with the key of its digests. */
export interface Reviewed {
  readonly key: string
  readonly host: PlannedHost
}

/** The host's own name for itself, which no other machine has; `null` where there is none. */
export async function readMachineId(ask: Ask): Promise<string | null> {
  const answer = await ask({ kind: 'file', path: '/etc/machine-id' })
  return answer.kind === 'file' ? (answer.file.content?.trim() ?? null) : null
}

/** A host's plan as it is saved and held against the host later. */
export function plannedHost(
  name: string,
  key: string,
  { results, machineId }: Pick<HostPlan, 'results' | 'machineId'>,
  secrets: Vault = noSecrets,
): PlannedHost {
  const tasks = results.map(result => {
    const { label, module, status, changes, steps, together } = secrets.hide(reportTask(name, result))
    const { moduleVersion } = result.task
    const digest = digestOf(key, result, secrets)
    const versioned = moduleVersion === undefined ? {} : { moduleVersion }
    return { label, module, ...versioned, status, digest, changes, steps, ...(together && { together }) }
  })
  return { name, machineId, tasks }
}

function digestOf(key: string, { task, status, steps, assessment, together }: TaskResult, secrets: Vault): string {
  const { current, desired } = assessment ?? {}
  const { moduleVersion } = task
  const digested = { status, current, desired, steps, moduleVersion, together: together?.labels }
  return task.secrets?.size ? secretPlanDigest(key, digested, secrets.reveal) : planDigest(key, digested)
}

/**
 * Holds what is found now against the plan that was reviewed.
 * @throws SakError `stale-plan`, with what has changed: nothing is applied to the host
 */
export function refuseOther(
  { results, machineId }: Pick<HostPlan, 'results' | 'machineId'>,
  reviewed: Reviewed,
  secrets: Vault = noSecrets,
): void {
  const { key, host } = reviewed
  if (machineId !== host.machineId) {
    throw new SakError('stale-plan', 'this is another machine than the plan was made for', {
      hint: `/etc/machine-id was ${host.machineId ?? 'absent'} and is ${machineId ?? 'absent'}: make a new plan`,
    })
  }
  const now = plannedHost(host.name, key, { results, machineId }, secrets)
  const labels = [...new Set([...host.tasks, ...now.tasks].map(({ label }) => label))]
  const changed = labels.flatMap(label => {
    const [before, after] = [host, now].map(({ tasks }) => tasks.find(task => task.label === label))
    return before?.digest === after?.digest ? [] : [{ label, lines: whatChanged(before, after) }]
  })
  if (changed.length === 0) return
  const others = changed.map(({ label }) => label).join(', ')
  throw new SakError('stale-plan', `the host or the playbook has changed since the plan was made: ${others}`, {
    said: changed.flatMap(({ lines }) => lines).join('\n'),
    hint: 'nothing was applied there: make a new plan and look at it',
  })
}
