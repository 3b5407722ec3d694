/** What Docker and the kernel answer. */
import { posix } from 'node:path'
import type { FileRead } from 'sak-reconcile'
import { z } from 'zod'

/** What the engine says of its machine. */
export interface Machine {
  readonly processors: number
  readonly memory: number
  /** Of the kernel's control groups, 1 or 2. */
  readonly cgroups: number
}

export function parseMachine(stdout: string): Machine {
  const [processors = 0, memory = 0, cgroups = 0] = stdout.trim().split(' ').map(Number)
  return { processors, memory, cgroups }
}

const Label = z.string().nullable()

const Line = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  service: Label,
  files: Label,
  directory: Label,
  oneOff: Label,
  memory: z.number(),
  swap: z.number(),
  memoryReservation: z.number(),
  nanoCpus: z.number(),
  quota: z.number(),
  period: z.number(),
})

/** A container of compose. 0 is no limit. */
export interface Container {
  readonly id: string
  readonly name: string
  readonly service: string
  /** The files that it was made from, absolute. */
  readonly files: readonly string[]
  readonly isRunning: boolean
  readonly memory: number
  /** Memory and swap together; -1 is no limit. */
  readonly swap: number
  readonly memoryReservation: number
  readonly cpus: number
  /** Limited by a quota, beside which the engine takes no number of processors. */
  readonly hasQuota: boolean
}

/** Containers of services; not those that `docker compose run` made, nor what is left of removed ones. */
export function parseContainers(stdout: string): readonly Container[] {
  const lines = stdout.split('\n').filter(line => line.trim() !== '')
  return lines.flatMap(text => {
    const line = Line.parse(JSON.parse(text))
    if (!line.service || line.oneOff === 'True' || ['dead', 'removing'].includes(line.state)) return []
    const files = (line.files ?? '').split(',').filter(path => path !== '')
    return [
      {
        id: line.id,
        name: line.name.replace(/^\//, ''),
        service: line.service,
        files: files.map(path => posix.resolve(line.directory || '/', path)),
        isRunning: ['running', 'paused', 'restarting'].includes(line.state),
        memory: line.memory,
        swap: line.swap,
        memoryReservation: line.memoryReservation,
        cpus: line.nanoCpus / 1e9,
        hasQuota: line.nanoCpus === 0 && (line.quota > 0 || line.period > 0),
      },
    ]
  })
}

/** Where the kernel counts the memory of Docker's containers: control groups 2 and 1, made by systemd and by Docker itself. */
export const memoryCounts = ['', '/memory'].flatMap(version =>
  ['system.slice/docker-*.scope', 'docker/*'].map(group => `/sys/fs/cgroup${version}/${group}/memory.stat`),
)

/** Bytes by container id that a container holds and that cannot be dropped, only swapped out: no cache of files. */
export function parseHeld(files: readonly FileRead[]): ReadonlyMap<string, number> {
  return new Map(
    files.flatMap(({ path, content }) => {
      const [, id] = /([0-9a-f]{64})(?:\.scope)?\/memory\.stat$/.exec(path) ?? []
      const [, bytes] = /^(?:anon|total_rss) (\d+)$/m.exec(content ?? '') ?? []
      return id === undefined || bytes === undefined ? [] : [[id, Number(bytes)] as const]
    }),
  )
}
