import { isSakError } from './core/errors.ts'
import type { RunEvent } from './core/report.ts'
import type { Vault } from './core/vault.ts'
import type { Job } from './jobs.ts'
import { openSecrets } from './loading/secrets.ts'

/** The secrets of the tasks of a run. */
export interface WithSecrets {
  readonly secrets: Vault
}

interface Told {
  readonly onEvent?: (event: RunEvent) => void
  readonly signal?: AbortSignal
}

/** Asks for the secrets of the tasks before any host is touched; nothing that is thrown or told has their values. */
export async function withSecrets<Options extends Told, T>(
  jobs: readonly Job[],
  options: Options,
  act: (run: Options & WithSecrets) => Promise<T>,
): Promise<T> {
  const ids = jobs.flatMap(job => job.tasks.flatMap(task => [...(task.secrets ?? [])]))
  const secrets = await openSecrets(ids, options.signal)
  const { onEvent } = options
  try {
    return await act({ ...options, secrets, ...(onEvent && { onEvent: event => onEvent(secrets.hide(event)) }) })
  } catch (error) {
    throw withoutSecrets(error, secrets)
  }
}

function withoutSecrets(error: unknown, secrets: Vault): unknown {
  if (!(error instanceof Error)) return secrets.hide(error)
  const { message, stack, cause } = error
  const told = { message, stack, ...(isSakError(error) && { hint: error.hint, said: error.said }) }
  const hidden = secrets.hide(told)
  if (cause !== undefined) withoutSecrets(cause, secrets)
  return hidden === told ? error : Object.assign(error, hidden)
}
