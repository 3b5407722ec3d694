import { isSakError } from '../core/errors.ts'
import { type Host, hostFrom } from '../core/host.ts'
import type { Module } from '../core/module.ts'
import type { Task } from '../core/task.ts'
import type { Ask } from './overlay.ts'
import { orError } from './record.ts'

/** A task that a host may have today. `why` says what keeps it from being so; none where it is in sync. */
export interface Candidate {
  readonly module: string
  readonly input: unknown
  readonly task?: Task
  readonly why?: string
}

/** What became of a module: its candidates, or why there are none. */
export interface Adoption {
  readonly module: string
  readonly candidates: readonly Candidate[]
  readonly why?: string
}

/** Asks a module what a host has today, and checks each of its answers on that host. */
export async function adoptModule({ moduleName, adopt, parse }: Module, ask: Ask): Promise<Adoption> {
  const host = hostFrom(ask)
  const found = await orError(adopt?.(host) ?? Promise.resolve('the module cannot tell'))
  if (isSakError(found)) return { module: moduleName, candidates: [], why: found.message }
  if (typeof found === 'string') return { module: moduleName, candidates: [], why: found }
  const candidates = await Promise.all(found.map(input => judged(moduleName, input, parse, host)))
  return { module: moduleName, candidates }
}

async function judged(module: string, input: unknown, parse: Module['parse'], host: Host): Promise<Candidate> {
  const found = await orError(assessed(input, parse, host))
  return { module, input, ...(isSakError(found) ? { why: found.message } : found) }
}

async function assessed(input: unknown, parse: Module['parse'], host: Host): Promise<Pick<Candidate, 'task' | 'why'>> {
  const task = parse(input)
  const { changes, blocked } = await task.assess(host)
  const why = [...changes.map(({ key }) => `${key} differs`), ...blocked.map(({ message }) => message)].join(', ')
  return { task, ...(why !== '' && { why }) }
}
