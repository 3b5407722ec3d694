import type { Connection } from '../core/connection.ts'
import { isSakError, SakError } from '../core/errors.ts'
import { quote } from '../core/quote.ts'
import { printable } from '../core/terminal.ts'
import { hostShell } from './host-shell.ts'
import type { Ask } from './overlay.ts'

/** A transaction that neither committed nor undid itself: its script was killed, or the host was reset. */
export interface Interrupted {
  /** The journal's name: when the run was, and which. */
  readonly name: string
  /** The labels of its tasks. */
  readonly tasks: readonly string[]
}

const base = '/var/lib/sak-reconcile'

/** The transactions that an earlier run left unfinished, for a dry run. Costs no trip of its own where there are none. */
export async function findInterrupted(ask: Ask): Promise<readonly Interrupted[]> {
  const files = await ask({
    kind: 'files',
    globs: [`${base}/transactions/*/state`, `${base}/transactions/*/task`],
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
  const lock = `${base}/transaction.lock`
  const answer = await ask({ kind: 'command', argv: ['flock', '-n', '-s', lock, 'true'], options: {} })
  return answer.kind === 'command' && answer.result.code !== 0
}

const labelsOf = (lines = ''): readonly string[] => lines.trim().split('\n')

/** In words: `the task "a"`, `the tasks "a", "b"`. */
const inWords = (tasks: readonly string[]) =>
  `the task${tasks.length === 1 ? '' : 's'} ${tasks.map(task => `"${task}"`).join(', ')}`

/** The error of a task, or of a host, that an earlier run left half-way. */
export function interruptedError({ name, tasks }: Interrupted): SakError {
  return new SakError('interrupted', `an earlier run was interrupted in ${inWords(tasks)} (journal ${name})`, {
    hint: 'the next apply undoes what it had done there, and goes on from that',
  })
}

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
        hint: `look at ${base}/transactions/${name} on the host, mend what it names, then remove that folder`,
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
${hostShell}
echo
exec 8>"$base/transaction.lock" && flock -w 60 8 || { echo "$n busy"; return; }
all=''
for d in "$base/transactions"/*/; do if [ -d "$d" ]; then all="\${d%/} $all"; fi; done
for d in $all; do
  case $(cat "$d/state" 2>/dev/null) in applying | half) ;; *) rm -rf -- "$d"; continue ;; esac
  t=$(b64 <"$d/task")
  sh "$d/script" undo "$d" >"$d/recovery" 2>&1 </dev/null
  if [ -d "$d" ]; then echo "$n half \${d##*/} $t $(cat "$d"/undo-* "$d"/again-* 2>/dev/null | tail -c 3000 | b64)"
  else echo "$n undone \${d##*/} $t"; fi
done
echo "$n recovered"
}
sak
`
}
