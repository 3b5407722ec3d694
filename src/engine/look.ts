import type { Work } from './host.ts'
import { interruptedError } from './journal.ts'
import { type PlanOptions, planHost } from './plan-host.ts'
import { reportError } from './report-task.ts'

/** Looks at a host and plans. No import of this leads to what changes a host: a test follows them. */
export function look(name: string, options: PlanOptions): Work {
  return async (host, tasks) => {
    const plan = await planHost(host, tasks, options)
    const [first] = plan.interrupted
    return { ...plan, plan, ...(first && { error: reportError(name, interruptedError(first)) }) }
  }
}
