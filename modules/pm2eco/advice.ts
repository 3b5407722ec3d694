import { type AdviceRule, sizeBytes } from 'sak-reconcile'
import { heapCapMiB } from './heap-cap.ts'
import type { Params } from './params.ts'

const heapAboveRestart: AdviceRule<Params> = {
  id: 'heap-above-restart',
  source: "PM2's docs, Memory limit; Node's manual, --max-old-space-size",
  check: ({ apps }) =>
    apps.flatMap(app => {
      const cap = heapCapMiB(app)
      if (cap === undefined || app.max_memory_restart === undefined) return []
      const limit = sizeBytes(app.max_memory_restart) / 1024 ** 2
      if (cap < limit) return []
      return [
        {
          message: `${app.name}: PM2 restarts it above ${app.max_memory_restart}, before V8 comes near its heap cap of ${cap} MiB, so the cap never makes it collect harder`,
          suggestion: `--max-old-space-size=${Math.floor((limit * 4) / 5)}, four fifths of the restart limit`,
        },
      ]
    }),
}

const moreInstancesThanCores: AdviceRule<Params> = {
  id: 'more-instances-than-cores',
  source: "PM2's docs, Cluster mode: max is one process for each processor",
  check: ({ apps }, { facts }) =>
    apps.flatMap(({ name, instances }) =>
      typeof instances === 'number' && instances > facts.cores
        ? [
            {
              message: `${name}: ${instances} processes share ${facts.cores} processors, so they only wait for each other, each with a heap of its own`,
              suggestion: `instances: ${facts.cores}, or fewer where PostgreSQL needs a processor too`,
            },
          ]
        : [],
    ),
}

/** Percent of each vCPU that t3, t3a and t4g instances earn CPU credits for, by size. */
const baselines: Readonly<Record<string, number>> = {
  nano: 5,
  micro: 10,
  small: 20,
  medium: 20,
  large: 30,
  xlarge: 40,
  '2xlarge': 40,
}

const cpuCredits: AdviceRule<Params> = {
  id: 'cpu-credits',
  source: 'AWS, Key concepts for burstable performance instances',
  check: (_, { facts }) => {
    const { product } = facts.machine
    const baseline = baselines[/^t(?:3a?|4g)\.(\w+)$/.exec(product)?.[1] ?? '']
    if (baseline === undefined) return []
    return [
      {
        message: `a ${product} earns CPU credits for ${baseline}% of each vCPU: an average above that spends them, and then it is throttled, or billed for more`,
        suggestion:
          'an alarm on CPUCreditBalance; a larger or an m instance where the average stays above the baseline',
      },
    ]
  },
}

export const advice = [heapAboveRestart, moreInstancesThanCores, cpuCredits]
