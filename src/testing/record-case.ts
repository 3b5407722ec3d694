import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { SakError } from '../core/errors.ts'
import type { Answer, Read } from '../core/host.ts'
import type { Assessment, Task } from '../core/task.ts'
import { assessed, type Case, gistOf } from './cases.ts'
import type { FakeHostState } from './fake-host.ts'
import { maskSecrets } from './mask.ts'
import { recordedHost } from './recorded-host.ts'

/** What a check of a real host read and found. */
export interface Recording {
  readonly task: Task
  readonly reads: readonly { readonly read: Read; readonly answer: Answer | SakError }[]
  readonly found: Assessment | SakError
}

export interface MadeCase {
  readonly case: z.input<typeof Case>
  /** How many secrets were masked. */
  readonly masked: number
  /** Whether the case gives what the host gave. */
  readonly isFaithful: boolean
}

/** A case for `runCases` of what a host said, with secrets masked. Throws SakError `unsupported` for what cannot be recorded. */
export async function recordCase({ task, reads, found }: Recording, origin: string): Promise<MadeCase> {
  const params: unknown = JSON.parse(JSON.stringify(task.input ?? {}))
  const { masked, count } = maskSecrets({ params, host: recordedHost(reads) })
  const expect = gistOf(await replayed(task, masked))
  const was = gistOf(found)
  const isFaithful =
    isDeepStrictEqual([was.changes, was.blocked], [expect.changes, expect.blocked]) &&
    was.steps.length === expect.steps.length
  return { case: { origin, ...masked, expect }, masked: count, isFaithful }
}

async function replayed(task: Task, { params, host }: { params: unknown; host: FakeHostState }) {
  try {
    return await assessed(task.withInput(params), host)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('unsupported', `what was recorded does not lead to the same check: ${why}`, { cause })
  }
}
