import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where this user's runs are remembered. */
export function stateFolder({ XDG_STATE_HOME: base }: Environment): string {
  return join(base && isAbsolute(base) ? base : join(homedir(), '.local/state'), 'sak-reconcile')
}

/** Tells the runs of a playbook from others', in a name of a file. */
export const playbookId = (playbook: string) => createHash('sha256').update(playbook).digest('hex').slice(0, 16)

/** Where the history of a playbook is kept. */
export function historyFolder(playbook: string, environment: Environment = process.env): string {
  return join(stateFolder(environment), `history-${playbookId(playbook)}`)
}
