import { type ApplyOptions, applyHost } from './apply.ts'
import type { Work } from './host.ts'
import { lockHost } from './host-lock.ts'

/** Applies tasks to a host, which from the check to the verification is ours. `waitSeconds` is for another run there to end. */
export function applyLocked(options: Omit<ApplyOptions, 'signal'> & { readonly waitSeconds: number }): Work {
  return async (host, tasks, signal) => {
    const { runId, waitSeconds } = options
    const lock = await lockHost(host.connection, { runId, waitSeconds })
    try {
      return await applyHost(host, tasks, { ...options, signal })
    } finally {
      await lock.release()
    }
  }
}
