import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { HostStatus, type Report } from '../core/report.ts'
import { writeOwnFile } from './own-file.ts'

/** What is kept of the last run of a playbook: what became of each host. */
const LastRun = z.object({
  schema: z.literal('sak-reconcile/last-run@1'),
  playbook: z.string(),
  startedAt: z.iso.datetime(),
  hosts: z.record(z.string(), HostStatus),
})
export type LastRun = z.infer<typeof LastRun>

type Environment = Readonly<Record<string, string | undefined>>

/** Where this user's runs are remembered. */
function stateFolder({ XDG_STATE_HOME: base }: Environment): string {
  return join(base && isAbsolute(base) ? base : join(homedir(), '.local/state'), 'sak-reconcile')
}

function pathOf(playbook: string, environment: Environment): string {
  const id = createHash('sha256').update(playbook).digest('hex').slice(0, 16)
  return join(stateFolder(environment), `last-run-${id}.json`)
}

/** Keeps what became of the hosts of a run, in place of the run before: wholly or not at all. */
export async function rememberRun(
  playbook: string,
  { startedAt, hosts }: Pick<Report, 'startedAt' | 'hosts'>,
  environment: Environment = process.env,
): Promise<void> {
  const statuses = Object.fromEntries(hosts.map(({ name, status }) => [name, status]))
  const run: LastRun = { schema: 'sak-reconcile/last-run@1', playbook, startedAt, hosts: statuses }
  const path = pathOf(playbook, environment)
  await mkdir(stateFolder(environment), { recursive: true, mode: 0o700 })
  await writeOwnFile(path, `${JSON.stringify(run, null, 2)}\n`)
}

/** The last run of a playbook; `undefined` where none is remembered, or what is there is none of ours. */
export async function lastRun(playbook: string, environment: Environment = process.env): Promise<LastRun | undefined> {
  const text = await readFile(pathOf(playbook, environment), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return LastRun.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
