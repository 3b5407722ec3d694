import type { Connection } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { quote } from '../core/quote.ts'
import { printable } from '../core/terminal.ts'
import { discard } from './directory-shell.ts'
import { hostShell } from './host-shell.ts'
import { type Interrupted, inWords, journalBase, labelsOf } from './journal.ts'
import { inOwnSession, leftRunning } from './left-running.ts'

const recoveryMs = 15 * 60_000

/**
 * Undoes what earlier runs left unfinished, the latest first.
 * @throws SakError `interrupted` where undoing fails: nothing else may be done on the host before somebody has looked.
 */
export async function recover(connection: Connection, nonce: string): Promise<readonly Interrupted[]> {
  const result = await connection.run(recoveryScript(nonce), { deadlineMs: recoveryMs })
  const records = result.stdout
    .toString('latin1')
    .split('\n')
    .filter(line => line.startsWith(`${nonce} `))
    .map(line => line.split(' ').slice(1))
  const decoded = (text = '') => Buffer.from(text, 'base64').toString('utf8')
  const half = records.find(([kind]) => kind === 'half')
  if (half) {
    const [, name = '', task, said] = half
    throw new SakError(
      'interrupted',
      `an earlier run was interrupted in ${inWords(labelsOf(decoded(task)))}, and undoing it failed`,
      {
        said: printable(decoded(said)).trim(),
        hint: `look at ${journalBase}/transactions/${name} on the host, mend what it names, then remove that folder`,
      },
    )
  }
  if (!records.some(([kind]) => kind === 'recovered')) {
    throw new SakError('answer-broken', 'the host did not say whether an interrupted run could be undone', {
      said: printable(result.stderr.subarray(-2000).toString('utf8')).trim(),
    })
  }
  return records.flatMap(([kind, name = '', task]) =>
    kind === 'undone' ? [{ name, tasks: labelsOf(decoded(task)) }] : [],
  )
}

function recoveryScript(nonce: string): string {
  return `sak() {
trap : HUP PIPE INT TERM
umask 077
n=${quote(nonce)}
${hostShell}${discard}${leftRunning}
echo
exec 8>"$base/transaction.lock" && flock -w 60 8 || { echo "$n busy"; return; }
all=''
for d in "$base/transactions"/*/; do if [ -d "$d" ]; then all="\${d%/} $all"; fi; done
for d in $all; do
  case $(cat "$d/state" 2>/dev/null) in
    applying | half) ;;
    committed) if discard "$d"; then rm -rf -- "$d"; fi; continue ;;
    *) rm -rf -- "$d"; continue ;;
  esac
  t=$(b64 <"$d/task")
  if ! end_left "$d" >"$d/undo-left"; then
    echo "$n half \${d##*/} $t $(b64 <"$d/undo-left")"; continue
  fi
  rm -f "$d/undo-left"
  ${inOwnSession} "$d/script" undo "$d" >"$d/recovery" 2>&1 </dev/null
  if [ -d "$d" ]; then echo "$n half \${d##*/} $t $(cat "$d"/undo-* "$d"/again-* 2>/dev/null | tail -c 3000 | b64)"
  else echo "$n undone \${d##*/} $t"; fi
done
echo "$n recovered"
}
sak
`
}
