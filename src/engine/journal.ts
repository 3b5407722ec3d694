import { isSakError, SakError } from '../core/errors.ts'
import type { Ask } from './overlay.ts'

/** A transaction that neither committed nor undid itself: its script was killed, or the host was reset. */
export interface Interrupted {
  /** The journal's name: when the run was, and which. */
  readonly name: string
  /** The labels of its tasks. */
  readonly tasks: readonly string[]
}

/** Where a host keeps the journals of transactions. */
export const journalBase = '/var/lib/sak-reconcile'

/** The transactions that an earlier run left unfinished, for a dry run. Costs no trip of its own where there are none. */
export async function findInterrupted(ask: Ask): Promise<readonly Interrupted[]> {
  const files = await ask({
    kind: 'files',
    globs: [`${journalBase}/transactions/*/state`, `${journalBase}/transactions/*/task`],
  }).catch((error: unknown) => {
    if (isSakError(error)) return undefined // only root has journals there, and only root may see them
    throw error
  })
  if (files?.kind !== 'files' || files.files.length === 0) return []
  const content = (name: string, file: string) =>
    files.files.find(({ path }) => path.endsWith(`/transactions/${name}/${file}`))?.content?.trim()
  const names = [...new Set(files.files.map(file => file.path.split('/').at(-2) ?? ''))]
  const open = names.filter(name => ['applying', 'half'].includes(content(name, 'state') ?? ''))
  if (open.length === 0 || (await isRunning(ask))) return []
  return open.map(name => ({ name, tasks: labelsOf(content(name, 'task')) }))
}

/** Whether a transaction is at work this moment: then its journal is not a leftover. */
async function isRunning(ask: Ask): Promise<boolean> {
  const lock = `${journalBase}/transaction.lock`
  const answer = await ask({ kind: 'command', argv: ['flock', '-n', '-s', lock, 'true'], options: {} })
  return answer.kind === 'command' && answer.result.code !== 0
}

export const labelsOf = (lines = ''): readonly string[] => lines.trim().split('\n')

/** In words: `the task "a"`, `the tasks "a", "b"`. */
export const inWords = (tasks: readonly string[]) =>
  `the task${tasks.length === 1 ? '' : 's'} ${tasks.map(task => `"${task}"`).join(', ')}`

/** The error of a task, or of a host, that an earlier run left half-way. */
export function interruptedError({ name, tasks }: Interrupted): SakError {
  return new SakError('interrupted', `an earlier run was interrupted in ${inWords(tasks)} (journal ${name})`, {
    hint: 'the next apply undoes what it had done there, and goes on from that',
  })
}
