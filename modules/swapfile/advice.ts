import { posix } from 'node:path'
import { type AdviceRule, type Size, sizeBytes } from 'sak-reconcile'
import { z } from 'zod'

interface Params {
  readonly path: string
  readonly size: Size
  readonly state: 'present' | 'absent'
}

/** A larger part of the disk of `/` than this is missed by logs, packages and the database. */
const mostOfDisk = 0.2

const swapOnSmallDisk: AdviceRule<Params> = {
  id: 'swap-on-small-disk',
  source: 'the t3.small guide, Cost: a root disk of 30 GB beside 2 GB of swap, 7%',
  check: ({ path, size, state }, { facts }) => {
    const share = sizeBytes(size) / 1024 ** 2 / facts.rootDiskMiB
    if (state === 'absent' || posix.dirname(path) !== '/' || share <= mostOfDisk) return []
    return [
      {
        message: `${size} are ${Math.round(share * 100)}% of the root disk of ${facts.rootDiskMiB} MiB, which logs, packages and the database share`,
        suggestion: `size: '${Math.max(64, Math.floor((facts.rootDiskMiB * mostOfDisk) / 64) * 64)}M', or a larger disk`,
      },
    ]
  },
}

const swapWithoutSwappiness: AdviceRule<Params> = {
  id: 'swap-without-swappiness',
  source: 'the t3.small guide, section 4; kernel.org, admin-guide/sysctl/vm: swappiness, default 60',
  check: ({ state }, { tasksOf }) => {
    const others = tasksOf('sysctl', z.object({ settings: z.record(z.string(), z.unknown()) }))
    if (state === 'absent' || others.some(({ params }) => 'vm.swappiness' in params.settings)) return []
    return [
      {
        message: 'no task sets vm.swappiness: with the default of 60 the kernel swaps out the app to cache files',
        suggestion: "sysctl({ settings: { 'vm.swappiness': 10 } })",
      },
    ]
  },
}

export const advice = [swapOnSmallDisk, swapWithoutSwappiness]
