import { randomBytes } from 'node:crypto'
import DataLoader from 'dataloader'
import type { Connection } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import type { Answer, Read } from '../core/host.ts'
import { printable } from '../core/terminal.ts'
import { tracedNow } from '../core/trace.ts'
import { parseAnswers } from './read-answer.ts'
import { readScript } from './read-script.ts'

/** Thrown into a check when the trip itself went wrong: a fault of the host or of the way to it, not of the task. */
export class HostLost extends Error {
  override readonly name = 'HostLost'
  override readonly cause: unknown

  constructor(cause: unknown) {
    super('the trip to the host failed')
    this.cause = cause
  }
}

/** Answers reads of one host. */
export interface Reader {
  ask(read: Read): Promise<Answer>
}

export interface ReaderOptions {
  /** The host's name, for the trace. */
  readonly host?: string
  readonly deadlineMs: number
  readonly signal?: AbortSignal
}

/** Collects the reads of a tick into one script over one channel; equal reads are asked once. */
export function batchReads(connection: Connection, options: ReaderOptions): Reader {
  const loader = new DataLoader<Read, Answer, string>(
    async reads => {
      try {
        return await askHost(connection, reads, options)
      } catch (error) {
        throw new HostLost(error)
      }
    },
    { cacheKeyFn: read => JSON.stringify(read), maxBatchSize: 10_000 },
  )
  return { ask: read => loader.load(read) }
}

async function askHost(connection: Connection, reads: readonly Read[], options: ReaderOptions) {
  const nonce = `sak-${randomBytes(12).toString('hex')}`
  const result = await connection.run(readScript(reads, nonce), options)
  try {
    return tracedNow('decode', options.host, () => parseAnswers(reads, nonce, result.stdout))
  } catch (error) {
    if (!(error instanceof SakError) || error.said !== undefined) throw error
    const said = printable(result.stderr.subarray(-2000).toString('utf8')).trim()
    throw new SakError(error.code, `${error.message} (exit ${result.code ?? result.signal})`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(said !== '' && { said }),
    })
  }
}
