import type { AdviceRule } from 'sak-reconcile'
import { bytesOf, isMemory, type Params, settingsOf } from './params.ts'

/** A larger part of the memory than this is unlikely to work better, says the manual. */
const mostOfMemory = 0.4

const sharedBuffersLarge: AdviceRule<Params> = {
  id: 'shared-buffers-large',
  source: "PostgreSQL's manual, 20.4, shared_buffers: 25% of a dedicated server, more than 40% unlikely to work better",
  check: (params, { facts }) => {
    const MiB = mebibytes(params, 'shared_buffers')
    if (MiB === undefined || MiB <= facts.ramMiB * mostOfMemory) return []
    return [
      {
        message: `shared_buffers are ${Math.round((MiB / facts.ramMiB) * 100)}% of the host's ${facts.ramMiB} MiB: PostgreSQL reads through the kernel's cache, which gets less`,
        suggestion: `shared_buffers: '${Math.floor(facts.ramMiB / 4)}MB', less where other services share the host`,
      },
    ]
  },
}

const cacheSizeAboveMemory: AdviceRule<Params> = {
  id: 'cache-size-above-memory',
  source: "PostgreSQL's manual, 20.7, effective_cache_size: what is left for one query to be cached in",
  check: (params, { facts }) => {
    const MiB = mebibytes(params, 'effective_cache_size')
    if (MiB === undefined || MiB <= facts.ramMiB) return []
    return [
      {
        message: `effective_cache_size promises the planner ${MiB} MiB of cache, and the host has ${facts.ramMiB}: it will choose index scans that read from disk`,
        suggestion: `effective_cache_size: '${Math.floor(facts.ramMiB / 4)}MB' beside an app, up to ${Math.floor((facts.ramMiB * 3) / 4)}MB alone`,
      },
    ]
  },
}

function mebibytes(params: Params, name: string): number | undefined {
  const text = settingsOf(params).get(name)
  return isMemory(text) ? bytesOf(text) / 1024 ** 2 : undefined
}

export const advice = [sharedBuffersLarge, cacheSizeAboveMemory]
