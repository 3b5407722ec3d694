import { mkdir, open, readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { SakError } from '../core/errors.ts'
import { describeIssues } from '../core/issues.ts'
import { writeOwnFile } from './own-file.ts'
import { stateFolder } from './state-folder.ts'

/** What was scheduled, by whom and how. */
export const Schedule = z.object({
  schema: z.literal('sak-reconcile/schedule@1'),
  name: z.string(),
  /** When, as cron says it. */
  every: z.string(),
  by: z.enum(['systemd', 'cron']),
  /** In the user's own systemd or crontab, and not the system's. */
  ofUser: z.boolean(),
  user: z.string(),
  folder: z.string(),
  /** Node and our own file. */
  program: z.array(z.string()),
  /** What `drift` is given. */
  args: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  installedAt: z.iso.datetime(),
})
export type Schedule = z.infer<typeof Schedule>

const folder = () => join(stateFolder(process.env), 'schedule')
const pathOf = (name: string) => join(folder(), `${name}.json`)

/** The name of the entry of cron, or of the units: nobody else's are called that. */
export const entryOf = (name: string): string => `sak-reconcile-${name}`

/** Where the output of scheduled runs goes. */
export const logOf = (name: string): string => join(folder(), `${name}.log`)

/** What was scheduled under a name. Throws SakError `usage` where that cannot be read. */
export async function readSchedule(name: string): Promise<Schedule | undefined> {
  const text = await readFile(pathOf(name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new SakError('usage', `${pathOf(name)} cannot be read: ${error.message}`, { cause: error })
  })
  if (text === undefined) return undefined
  const found = jsonOf(text)
  const parsed = Schedule.safeParse(found)
  if (parsed.success) return parsed.data
  throw new SakError('usage', `${pathOf(name)} is none of ours: ${describeIssues(parsed.error, Schedule, found)}`, {
    hint: 'move it away, then install the schedule again',
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Keeps what is scheduled; leaves it alone where it is kept already. */
export async function keepSchedule(schedule: Schedule): Promise<void> {
  if (isDeepStrictEqual(await readSchedule(schedule.name).catch(() => undefined), schedule)) return
  await mkdir(folder(), { recursive: true, mode: 0o700 })
  await writeOwnFile(pathOf(schedule.name), `${JSON.stringify(schedule, null, 2)}\n`)
}

/** Removes what is kept of a schedule, its log too, and the folder after the last one. */
export async function forgetSchedule(name: string): Promise<void> {
  for (const path of [pathOf(name), logOf(name), `${logOf(name)}.old`]) await rm(path, { force: true })
  await rmdir(dirname(pathOf(name))).catch(() => {})
}

/** A run of a schedule. */
export interface ScheduledRun {
  readonly endedAt: Date
  readonly exitCode: number
}

/** Bytes at the end of a log in which the last run must stand. */
const tail = 64_000

/** The last run that a log tells of. */
export async function lastScheduledRun(name: string): Promise<ScheduledRun | undefined> {
  const file = await open(logOf(name)).catch(() => undefined)
  if (!file) return undefined
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tail), 0, tail, Math.max(0, size - tail))
    const ends = [...buffer.toString('utf8', 0, bytesRead).matchAll(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) exit (\d+)$/gm)]
    const [, time = '', code = ''] = ends.at(-1) ?? []
    return time === '' ? undefined : { endedAt: new Date(time), exitCode: Number(code) }
  } finally {
    await file.close()
  }
}
