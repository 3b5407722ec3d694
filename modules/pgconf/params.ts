import { Duration, durationMs, orSecret } from 'sak-reconcile'
import { z } from 'zod'

/** An amount of memory as PostgreSQL spells it: `'128MB'`. Units are case-sensitive, 1024 to the next. */
export type Memory = `${number}${'B' | 'kB' | 'MB' | 'GB' | 'TB'}`

const memoryBytes = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const
const memoryPattern = /^(\d+)(B|kB|MB|GB|TB)$/
export const isMemory = (value: unknown): value is Memory => typeof value === 'string' && memoryPattern.test(value)

function memory(least: Memory) {
  const atLeast = bytesOf(least)
  return z
    .custom<Memory>(isMemory, {
      error: 'expected memory in PostgreSQL\'s units such as "128MB" (B, kB, MB, GB, TB, a whole number before it)',
    })
    .refine(value => bytesOf(value) >= atLeast, { error: `expected at least "${least}", PostgreSQL's own minimum` })
    .meta({ title: 'memory', type: 'string', pattern: memoryPattern.source })
}

/** The bytes of an amount of memory. */
export function bytesOf(memory: Memory): number {
  const [, amount, unit] = memoryPattern.exec(memory) ?? []
  return Number(amount) * (Object.entries(memoryBytes).find(([name]) => name === unit)?.[1] ?? Number.NaN)
}

const OneLine = z
  .string()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .regex(/^[^\x00-\x1f\x7f]*$/, { error: 'expected text without line breaks or other control characters' })
const anyValue = z.union([orSecret(OneLine), z.number(), z.boolean()])

/** As PostgreSQL's own lexer takes them; a dot is for the settings of extensions. */
const settingName = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i

/** Names that are not settings, or that would move the cluster away from under its own configuration. */
const refusedNames = ['config_file', 'data_directory', 'include', 'include_dir', 'include_if_exists']

const settings = z
  .object({
    shared_buffers: memory('128kB').optional().describe('Memory for cached pages. Needs a restart.'),
    effective_cache_size: memory('8kB')
      .optional()
      .describe("The planner's idea of the memory for caching, its own and the kernel's."),
    maintenance_work_mem: memory('1MB').optional().describe('Memory of each VACUUM, CREATE INDEX and the like.'),
    work_mem: memory('64kB').optional().describe('Memory of each sort or hash, of which a query may have several.'),
    max_connections: z.int().min(1).max(262143).optional().describe('Greatest number of sessions. Needs a restart.'),
    checkpoint_completion_target: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('Part of the time between checkpoints over which each is spread.'),
    wal_buffers: z
      .union([memory('32kB'), z.literal(-1)], {
        error: 'expected memory of at least "32kB" such as "4MB", or -1 (chosen from shared_buffers)',
      })
      .optional()
      .describe('Memory for WAL that is not yet written; -1 chooses from shared_buffers. Needs a restart.'),
    random_page_cost: z.number().min(0).optional().describe('Cost of a page read out of order, against 1 in order.'),
    effective_io_concurrency: z.int().min(0).max(1000).optional().describe('Reads that the disk can serve at once.'),
  })
  .catchall(anyValue)
  .superRefine((given, context) => {
    const seen = new Set<string>()
    for (const name of Object.keys(given)) {
      const problem = problemOf(name, seen)
      if (problem) context.addIssue({ code: 'custom', path: [name], message: problem })
      seen.add(name.toLowerCase())
    }
  })

function problemOf(name: string, seen: ReadonlySet<string>): string | undefined {
  const lower = name.toLowerCase()
  if (!settingName.test(name)) return 'expected the name of a PostgreSQL setting such as "work_mem"'
  if (refusedNames.includes(lower)) return 'this one decides what the cluster is; it cannot be set here'
  if (seen.has(lower)) return 'given twice (PostgreSQL does not tell upper from lower case)'
  return undefined
}

export const Params = z.strictObject({
  settings: settings.describe(
    'By their PostgreSQL names. Those listed below are checked here; any other is a string, number or boolean, and the list of the server decides. {} takes the file away.',
  ),
  cluster: z
    .string()
    .regex(/^\d+(\.\d+)?\/[A-Za-z0-9_.-]+$/, {
      error: 'expected VERSION/NAME such as "15/main" (pg_lsclusters lists them)',
    })
    .optional()
    .describe('Such as "15/main". Found by itself where there is only one, to be named where there are several.'),
  file: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*\.conf$/, {
      error: 'expected a file name that ends in .conf, such as "60-sak.conf"',
    })
    .default('60-sak.conf')
    .describe("Name of the file in the cluster's conf.d."),
  overrides: z
    .enum(['report', 'remove'])
    .default('report')
    .describe(
      'What to do with another place that sets one of the settings (a later file, ALTER SYSTEM, a role, a database, the command line): name it and stop, or remove it.',
    ),
  answersWithin: Duration.refine(value => durationMs(value) >= 1000, { error: 'expected at least "1s"' })
    .default('60s')
    // pg_ctl's own default, PGCTLTIMEOUT
    .describe(
      "Time for the server to answer after a restart (pg_ctl's own default); else the old files come back and it starts again.",
    ),
})
export type Params = z.output<typeof Params>

/** The settings as text, by name in lower case, in alphabetical order. */
export function settingsOf(params: Params): ReadonlyMap<string, string> {
  const entries = Object.entries(params.settings).flatMap(([name, value]): [string, string][] =>
    value === undefined
      ? []
      : [[name.toLowerCase(), typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)]],
  )
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
