import { randomBytes } from 'node:crypto'
import type { Connection } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { describeStep, type Step } from '../core/step.ts'
import { printable } from '../core/terminal.ts'
import { durationMs } from '../core/units.ts'
import { noSecrets, type Vault } from '../core/vault.ts'
import { revealedSteps } from './secrets.ts'
import { type JournalEntry, transactionScript } from './transaction-script.ts'
import { activationSeconds } from './transaction-shell.ts'

/** How a transaction ended. `rollback` is `none` where nothing had been done. */
export type Outcome =
  | { readonly kind: 'committed' }
  | {
      readonly kind: 'failed'
      readonly error: SakError
      readonly step: Step | undefined
      readonly rollback: 'none' | 'done' | 'failed'
    }

/** Runs the steps of a task on a host: wholly, or not at all. One trip. What the host says of it may hold the values of secrets. */
export async function runTransaction(
  connection: Connection,
  steps: readonly Step[],
  journal: JournalEntry,
  secrets: Vault = noSecrets,
): Promise<Outcome> {
  const nonce = `sak-${randomBytes(12).toString('hex')}`
  const script = transactionScript(revealedSteps(steps, secrets), nonce, journal)
  const result = await connection.run(script, { deadlineMs: deadline(steps) })
  const records = result.stdout
    .toString('latin1')
    .split('\n')
    .filter(line => line.startsWith(`${nonce} `))
    .map(line => line.split(' ').slice(1))
  return outcomeOf(steps, records, printable(result.stderr.subarray(-2000).toString('utf8')).trim())
}

/** Time for every step and its undoing, as much as each may take. */
function deadline(steps: readonly Step[]): number {
  const each = steps.map(step => {
    if (step.kind === 'run') return durationMs(step.timeout ?? '60s')
    if (step.kind === 'service') return (activationSeconds + 5) * 1000
    return step.kind === 'waitFor' ? durationMs(step.within ?? '30s') + 25_000 : 95_000
  })
  return each.reduce((sum, ms) => sum + ms * 2, 60_000)
}

function outcomeOf(steps: readonly Step[], records: readonly string[][], stderr: string): Outcome {
  const last = records.at(-1)?.[0]
  if (last === 'committed') return { kind: 'committed' }
  if (last === 'needs') {
    const error = new SakError('needs-root', `needs to be ${records.at(-1)?.[1] ?? 'root'} on the host`, {
      hint: 'run as root, or with --become',
    })
    return { kind: 'failed', error, step: undefined, rollback: 'none' }
  }
  if (last === 'noroom') {
    const error = new SakError('step-failed', 'there is no room for the journal on the host: nothing was done', {
      hint: 'make room in /var/lib/sak-reconcile',
      ...(stderr !== '' && { said: stderr }),
    })
    return { kind: 'failed', error, step: undefined, rollback: 'none' }
  }
  if (last === 'busy') {
    const error = new SakError('locked', 'the steps of another run are still running on the host', {
      hint: 'wait for them to end, then run again',
    })
    return { kind: 'failed', error, step: undefined, rollback: 'none' }
  }
  const failed = records.find(record => record[0] === 'step' && record[2] === 'failed')
  if (!failed) {
    const error = new SakError('answer-broken', 'the host did not say how the steps ended', {
      hint: 'look at /var/lib/sak-reconcile/transactions on the host',
      ...(stderr !== '' && { said: stderr }),
    })
    return { kind: 'failed', error, step: undefined, rollback: 'failed' }
  }
  return failure(steps, failed, last, stderr)
}

function failure(steps: readonly Step[], failed: readonly string[], last: string | undefined, stderr: string): Outcome {
  const [, id = '', , code = '', output = ''] = failed
  const step = steps[Number(id)]
  const title = step && 'title' in step ? step.title : undefined
  const name = title ?? (step ? describeStep(step) : `step ${id}`)
  const said = printable(Buffer.from(output, 'base64').toString('utf8')).trim() || stderr
  const rollback = last === 'undone' ? 'done' : 'failed'
  const error = new SakError('step-failed', `${name}: exit ${code}`, {
    ...(said !== '' && { said }),
    hint:
      rollback === 'done'
        ? undoneHint(steps.slice(0, Number(id) + 1))
        : 'undoing failed too: what is left is in /var/lib/sak-reconcile/transactions on the host',
  })
  return { kind: 'failed', error, step, rollback }
}

/** Says what stays, where a step that was done cannot be undone. */
function undoneHint(done: readonly Step[]): string {
  const stay = done.filter(step => step.kind === 'run' && step.undo === 'none').map(describeStep)
  if (stay.length === 0) return 'everything this task had done was undone'
  return `all that can be undone was; what cannot: ${stay.join('; ')}`
}
