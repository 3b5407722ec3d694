import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HostStatus, type Report } from '../core/report.ts'
import { writeOwnFile } from './own-file.ts'
import { type Environment, playbookId, stateFolder } from './state-folder.ts'

/** What is kept of the last run of a playbook: what became of each host. */
const LastRun = z.object({
  schema: z.literal('sak-reconcile/last-run@1'),
  playbook: z.string(),
  startedAt: z.iso.datetime(),
  hosts: z.record(z.string(), HostStatus),
})
export type LastRun = z.infer<typeof LastRun>

function pathOf(playbook: string, environment: Environment): string {
  return join(stateFolder(environment), `last-run-${playbookId(playbook)}.json`)
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
