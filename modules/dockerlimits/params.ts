import { AbsolutePath, DiffRule, Size, sizeBytes } from 'sak-reconcile'
import { z } from 'zod'

const mebibyte = 1024 ** 2

/** The engine refuses less (moby: linuxMinMemory). */
export const leastMemory = 6 * mebibyte

const Memory = Size.transform(size => sizeBytes(size)).refine(bytes => bytes >= leastMemory, {
  error: "expected 6M or more: the engine's least",
})

/** The engine takes no less than a hundredth. */
const Cpus = z.number().min(0.01, { error: 'expected 0.01 or more: a hundredth of a processor' }).max(1024)

/** What a task rules of a service. Memory in bytes, processors as they are counted. */
const Limits = z
  .strictObject({
    memory: Memory.optional().describe('At most: above it the kernel ends a process of the container'),
    cpus: Cpus.optional().describe('Processors it may use at most; 1.5 is one and a half'),
    memoryReservation: Memory.optional().describe('Kept for it while the host is short of memory'),
    cpuReservation: Cpus.optional().describe('For swarm; compose passes over it'),
    replicas: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe(
        'Containers of it that the files start, for the budget of memory; held against the files and what runs',
      ),
  })
  .refine(limits => settingNames.some(name => limits[name] !== undefined), {
    error: 'expected one at least of memory, cpus, memoryReservation and cpuReservation',
  })
  .refine(({ memory, memoryReservation = 0 }) => memory === undefined || memoryReservation <= memory, {
    path: ['memoryReservation'],
    error: 'expected no more than memory: the engine refuses the container',
  })
  .refine(({ cpus, cpuReservation = 0 }) => cpus === undefined || cpuReservation <= cpus, {
    path: ['cpuReservation'],
    error: 'expected no more than cpus',
  })
export type Limits = z.output<typeof Limits>

export const settingNames = ['memory', 'cpus', 'memoryReservation', 'cpuReservation'] as const
export type SettingName = (typeof settingNames)[number]

/** The rows of the t3.small guide: section 3, and for PostgreSQL's processors its table of resources. */
export const guide = {
  backend: { memory: 1024 * mebibyte, memoryReservation: 768 * mebibyte, cpus: 1.5, replicas: 1 },
  postgresql: { memory: 512 * mebibyte, memoryReservation: 256 * mebibyte, cpus: 0.5, replicas: 1 },
  frontend: { memory: 128 * mebibyte, memoryReservation: 64 * mebibyte, replicas: 1 },
  nginx: { memory: 64 * mebibyte, memoryReservation: 32 * mebibyte, replicas: 1 },
} as const satisfies Record<string, Limits>

const Row = z
  .enum(['backend', 'postgresql', 'frontend', 'nginx'], {
    error: 'expected limits, or a row of the guide: "backend", "postgresql", "frontend" or "nginx"',
  })
  .transform((row): Limits => guide[row])

const ServiceName = z.string().regex(/^[a-zA-Z0-9._-]+$/, { error: 'expected the name of a service such as "api"' })

export const Params = z
  .strictObject({
    project: AbsolutePath.optional().describe(
      'The directory that `docker compose` is run in; it finds the files itself',
    ),
    file: z
      .union([AbsolutePath, z.array(AbsolutePath).min(1)], { error: 'expected an absolute path, or a list of them' })
      .transform(file => [file].flat())
      .optional()
      .describe('Instead of project: the file, or the files in their order, as in `docker compose -f A -f B`'),
    services: z
      .record(ServiceName, z.union([Limits, Row]))
      .refine(services => Object.keys(services).length > 0, { error: 'expected one service at least' })
      .describe('Limits by service; the name of a row of the guide stands for its numbers'),
    overrides: z
      .enum(['report', 'remove'])
      .default('report')
      .describe(
        'A value in a later file, or a variable: name it and leave the task blocked, or write ours in its place',
      ),
    diff: DiffRule,
  })
  .refine(({ project, file }) => (project === undefined) !== (file === undefined), {
    error: 'expected one of project and file',
  })
export type Params = z.output<typeof Params>
