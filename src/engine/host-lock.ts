import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Connection } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { localUser } from '../core/local-user.ts'
import { quote } from '../core/quote.ts'
import { printable } from '../core/terminal.ts'
import { hostShell } from './host-shell.ts'
import type { Interrupted } from './journal.ts'
import { recover } from './recovery.ts'

/** A host that is ours to change until it is released. */
export interface HostLock {
  /** What was undone of earlier runs before the lock was given. */
  readonly recovered: readonly Interrupted[]
  release(): Promise<void>
}

export interface LockOptions {
  readonly runId: string
  /** Seconds to wait for another run to end. */
  readonly waitSeconds: number
}

/**
 * Takes the lock of a host, which lives as long as this connection: from the check of an apply to its verification no other run
 * applies anything there. What an earlier run left unfinished is undone first.
 * @throws SakError `locked`, with who holds it since when; `interrupted`, where undoing fails
 */
export async function lockHost(connection: Connection, { runId, waitSeconds }: LockOptions): Promise<HostLock> {
  const nonce = `sak-${randomBytes(12).toString('hex')}`
  const script = lockScript(
    nonce,
    waitSeconds,
    `run ${runId} of ${localUser().username}@${hostname()}, process ${process.pid}`,
  )
  const held = await connection.hold(script, {
    ready: `${nonce} held`,
    deadlineMs: (waitSeconds + 60) * 1000,
  })
  const records = held.output
    .toString('utf8')
    .split('\n')
    .filter(line => line.startsWith(`${nonce} `))
  const says = (kind: string) => records.find(record => record.startsWith(`${nonce} ${kind}`))
  if (!says('held')) throw notLocked(says('busy')?.slice(nonce.length + 6), says('failed') !== undefined)
  try {
    const recovered = says('journals') ? await recover(connection, nonce) : []
    return { recovered, release: held.release }
  } catch (error) {
    await held.release()
    throw error
  }
}

function notLocked(holder: string | undefined, failed: boolean): SakError {
  if (holder === undefined || failed) {
    return new SakError('locked', "the host's lock cannot be taken", {
      hint: 'is /var/lib/sak-reconcile writable for us there?',
    })
  }
  const who = printable(holder).trim()
  return new SakError('locked', `another run is applying to this host: ${who || 'its steps still run'}`, {
    hint: 'run again when it has ended; to wait longer for it: --lock-wait 5m, in the library lockWaitSeconds: 300',
  })
}

/**
 * Two locks: one from check to verification, and one that a transaction keeps even when its controller is gone. The script exits
 * by itself: the shell that reads it from an open stdin would wait for more.
 */
function lockScript(nonce: string, waitSeconds: number, who: string): string {
  return `sak() {
umask 077
n=${quote(nonce)}
${hostShell}
echo
mkdir -p "$base/transactions" 2>/dev/null && exec 9<>"$base/lock" 8>"$base/transaction.lock" || { echo "$n failed"; exit; }
flock -w ${waitSeconds} 9 || { echo "$n busy $(head -c 300 "$base/lock" | head -n 1)"; exit; }
flock -w ${waitSeconds} 8 || { echo "$n busy $(cat "$base/transactions"/*/task 2>/dev/null | head -c 300 | paste -sd ' ')"; exit; }
flock -u 8
printf '%s, since %s\\n' ${quote(who)} "$(date -u +%FT%TZ)" >"$base/lock"
for d in "$base/transactions"/*/; do if [ -d "$d" ]; then echo "$n journals"; break; fi; done
echo "$n held"
cat >/dev/null
exit
}
sak
`
}
