import { createHash } from 'node:crypto'
import { bytesOf } from '../core/file.ts'
import { quote, quoteAll } from '../core/quote.ts'
import type { Command, RunStep, ServiceStep, Step, WaitForStep, WriteStep } from '../core/step.ts'
import { durationMs } from '../core/units.ts'
import { discard } from './directory-shell.ts'
import { hostShell, terse, withEnvironment } from './host-shell.ts'
import { inOwnSession, noteSession } from './left-running.ts'
import { library } from './transaction-shell.ts'

/*
 * The steps of a task as one script. It is journalled on the host (the script with all that undoes it, and how far it came)
 * and does not need its connection to end well. Records on stdout, each line beginning with the nonce:
 *   N needs USER   N begin JOURNAL   N step I ok|failed EXIT BASE64(output)   N undo I ok|failed BASE64(output)
 *   N committed | N undone | N half
 */

/*
 * Signals are caught, not ignored: what is ignored stays so in every program that is started, and a daemon that was started by a
 * step could not be ended any more.
 */

/** Runs the steps: on the first failure undoes in reverse, then activates again what had been activated. */
const engine = `
# what programs wrote is on disk before it counts; what steps write is so at once
settle() { if [ "$programs" != 0 ]; then sync -f "$d"; fi; }
undo_from() {
  half=0; k=$1
  while [ "$k" -ge 0 ]; do
    if "undo_$k" >"$d/undo-$k" 2>&1 8>&-; then say undo "$k" ok -; else half=1; say undo "$k" failed "$(output "$d/undo-$k")"; fi
    k=$((k - 1))
  done
  k=0
  while [ "$k" -le "$1" ]; do
    if ! "again_$k" >"$d/again-$k" 2>&1 8>&-; then half=1; say undo "$k" failed "$(output "$d/again-$k")"; fi
    k=$((k + 1))
  done
  settle
  if [ "$half" = 0 ]; then rm -rf -- "$d"; say undone; else echo half >"$d/state"; sync "$d/state"; say half; fi
}
apply() {
  i=0
  while [ "$i" -lt "$count" ]; do
    if ! { echo "$i" >"$d/at" && sync "$d/at" "$d"; }; then
      say step "$i" failed 1 "$(echo 'there is no room for the journal' | b64)"; undo_from $((i - 1)); return
    fi
    if "do_$i" >"$d/out-$i" 2>&1 8>&-; then say step "$i" ok 0 "$(output "$d/out-$i")"
    else c=$?; say step "$i" failed "$c" "$(output "$d/out-$i")"; undo_from "$i"; return; fi
    i=$((i + 1))
  done
  settle
  echo committed >"$d/state" && sync "$d/state"
  if discard "$d"; then rm -rf -- "$d"; fi
  say committed
}
`

const shellOfAll = terse([library, discard, engine].join('\n'))

/** What a journal is called and says, so that a later run can tell whose it was. */
export interface JournalEntry {
  /** Begins the name of the journal's directory: letters, digits, dashes. Later runs sort after earlier ones. */
  readonly name: string
  /** The labels of its tasks. */
  readonly tasks: readonly string[]
}

/** The script that applies steps, to be sent whole. */
export function transactionScript(steps: readonly Step[], nonce: string, journal: JournalEntry): string {
  const users = [...new Set(steps.flatMap(usersOf))]
  const programs = steps.filter(({ kind }) => kind === 'run' || kind === 'service').length
  const inner = [
    `n=${quote(nonce)}\nd=$2\ncount=${steps.length} programs=${programs}\numask 077\ntrap : HUP PIPE INT TERM`,
    hostShell, // reads its words, which the next one changes
    noteSession(longestSeconds(steps)),
    shellOfAll,
    ...steps.map(stepFunctions),
    `case $1 in apply) apply ;; undo) undo_from "$(cat "$d/at" 2>/dev/null || echo -1)" ;; esac\n`,
  ].join('\n')
  const end = `SAK_SCRIPT_${nonce}`
  return `sak() {
trap : HUP PIPE INT TERM
umask 077
n=${quote(nonce)}
${hostShell}
for u in ${quoteAll(users)}; do
  if [ "$me" != root ] && [ "$u" != "$me" ]; then echo; echo "$n needs $u"; return; fi
done
{ [ -d "$base/transactions" ] || mkdir -p "$base/transactions"; } && exec 8>"$base/transaction.lock" || { echo; echo "$n step 0 failed 1 -"; echo "$n undone"; return; }
flock -w 30 8 || { echo; echo "$n busy"; return; }
d=$(mktemp -d "$base/transactions/"${quote(`${journal.name}.XXXXXX`)}) || { echo; echo "$n step 0 failed 1 -"; echo "$n undone"; return; }
printf '%s\\n' ${quoteAll(journal.tasks)} >"$d/task" && cat >"$d/script" <<'${end}' && echo applying >"$d/state" && sync "$d/script" "$d/task" "$d/state" "$d" "$base/transactions" || { rm -rf -- "$d"; echo; echo "$n noroom"; return; }
${inner}${end}
echo; echo "$n begin $d"
${inOwnSession} "$d/script" apply "$d" "$me" </dev/null
}
sak
`
}

/** How long a program that is started may run, see `command`; no longer than a recovery has time for. */
const longestSeconds = (steps: readonly Step[]) =>
  Math.min(600, Math.ceil(Math.max(60, ...steps.map(step => (step.kind === 'run' ? secondsOf(step) : 0)))) + 5)

const secondsOf = ({ timeout }: RunStep) => durationMs(timeout ?? '60s') / 1000

const wrap = (base64: string): string => base64.replace(/.{1,1000}/g, '$&\n').trimEnd()

function usersOf(step: Step): string[] {
  switch (step.kind) {
    case 'write':
      return [...(step.owner === undefined ? [] : [step.owner]), ...(step.validate ? [step.validate.as ?? 'root'] : [])]
    case 'directory':
      return [step.owner]
    case 'remove':
    case 'link':
    case 'remove-directory':
      return []
    case 'service':
      return [step.user ?? 'root']
    case 'run':
    case 'waitFor':
      return [step.as ?? 'root']
  }
}

/** `do_I` does the step, `undo_I` takes it back, `again_I` activates once more after everything was taken back. */
function stepFunctions(step: Step, id: number): string {
  const { run, undo = ':', again = ':' } = stepBodies(step, id)
  return `do_${id}() {\n${run}\n}\nundo_${id}() {\n${undo}\n}\nagain_${id}() {\n${again}\n}`
}

interface Bodies {
  readonly run: string
  readonly undo?: string
  readonly again?: string
}

function stepBodies(step: Step, id: number): Bodies {
  switch (step.kind) {
    case 'write':
      return writeBodies(step, id)
    case 'remove':
      return { run: `remove_file ${id} ${quote(step.path)}`, undo: `put_back ${id}` }
    case 'directory': {
      const { path, mode, owner, group } = step
      return { run: `make_directory ${id} ${quoteAll([path, mode, owner, group])}`, undo: `unmake_directory ${id}` }
    }
    case 'link':
      return { run: `make_link ${id} ${quoteAll([step.path, step.target])}`, undo: `put_back ${id}` }
    case 'remove-directory':
      return {
        run: `remove_directory ${id} ${quote(step.path)} ${step.recurse ? 'all' : 'empty'}`,
        undo: `bring_back ${id}`,
      }
    case 'run':
      return runBodies(step, id)
    case 'service':
      return serviceBodies(step, id)
    case 'waitFor':
      return { run: waitForBody(step) }
  }
}

function writeBodies(step: WriteStep, id: number): Bodies {
  const { path, mode = '', owner = '', group = '', validate, replaceLink, madeFrom } = step
  const check = validate ? `validate_${id}` : 'accept'
  const refuse = validate?.refuse ? `if refused ${quote(validate.refuse)} "$d/validate"; then r=1; fi` : ':'
  const validation = validate
    ? `validate_${id}() {
r=0; ${command(validate, '60', argument => (argument === '{}' ? '"$1"' : quote(argument)))} >"$d/validate" 2>&1 || r=$?
cat "$d/validate"; ${refuse}; return $r
}\n`
    : ''
  const base64 = wrap(Buffer.from(bytesOf(step)).toString('base64'))
  const words = [path, mode, owner, group, check, replaceLink ? 'replace' : 'follow', digestOf(step, madeFrom)]
  return {
    run: `${validation}write_file ${id} ${quoteAll(words)} <<'SAK_CONTENT'\n${base64}\nSAK_CONTENT`,
    undo: `put_back ${id}`,
  }
}

/** The SHA-256 of what the file must hold for the step to be done; empty where that does not matter. */
function digestOf({ binary }: WriteStep, content: string | undefined): string {
  if (content === undefined) return ''
  const bytes = bytesOf({ content, ...(binary && { binary }) })
  return createHash('sha256').update(bytes).digest('hex')
}

function runBodies(step: RunStep, id: number): Bodies {
  const seconds = String(secondsOf(step))
  const call = command(step, seconds)
  const refuse = step.refuse ? `if refused ${quote(step.refuse)} "$d/out-${id}"; then r=1; fi` : ':'
  const undo = Array.isArray(step.undo) ? step.undo : []
  return {
    run: `r=0; ${call} || r=$?\n${refuse}\nreturn $r`,
    ...(undo.length > 0 && {
      undo: `r=0\n${undo.map(each => `${undoing(each, seconds)} || r=1`).join('\n')}\nreturn $r`,
    }),
  }
}

/** Done once more after it was cut off, what made the account that it runs as may be undone already. */
function undoing(each: Command, seconds: string): string {
  const isGone = each.as === undefined ? '' : `! id -u -- ${quote(each.as)} >/dev/null 2>&1 || `
  return isGone + command(each, seconds)
}

function serviceBodies({ name, action, user }: ServiceStep, id: number): Bodies {
  const unit = quote(name)
  const ctl = user === undefined ? 'systemctl' : `user_systemctl ${quote(user)}`
  const was = (state: string) => `[ -e "$d/was-${state}-${id}" ]`
  const begun = `[ -e "$d/out-${id}" ]`
  switch (action) {
    case 'daemon-reload':
      return { run: `${ctl} daemon-reload`, again: `${begun} || return 0; ${ctl} daemon-reload` }
    case 'reload':
    case 'restart': {
      // a service that took no reload from the start goes on as it was
      const anew = `again ${action} ${unit} ${ctl}`
      return {
        run: `started ${id} ${unit} ${ctl} && { activate ${action} ${unit} ${ctl} || { c=$?; : >"$d/refused-${id}"; return "$c"; }; }`,
        again: `${begun} || return 0
if ${was('inactive')}; then stopped ${id} ${unit} ${ctl}; return; fi
if ${was('starting')}; then ${ctl} start --no-block -- ${unit}; return; fi
${action === 'reload' ? `{ ${anew} || [ -e "$d/refused-${id}" ]; }` : anew} && ${ctl} is-active --quiet -- ${unit}`,
      }
    }
    case 'start':
      return {
        run: `started ${id} ${unit} ${ctl} && activate start ${unit} ${ctl}`,
        undo: `! ${was('inactive')} || stopped ${id} ${unit} ${ctl}`,
      }
    case 'stop':
      return {
        run: `started ${id} ${unit} ${ctl} && ${ctl} stop -- ${unit}`,
        again: `if ${was('starting')}; then ${ctl} start --no-block -- ${unit}; return; fi
! ${was('active')} || ${ctl} start -- ${unit}`,
      }
    case 'enable':
      return {
        run: `started ${id} ${unit} ${ctl} && ${ctl} enable -- ${unit}`,
        undo: `! ${was('disabled')} || ${ctl} disable -- ${unit}`,
      }
    case 'disable':
      return {
        run: `started ${id} ${unit} ${ctl} && ${ctl} disable -- ${unit}`,
        undo: `! ${was('enabled')} || ${ctl} enable -- ${unit}`,
      }
  }
}

function waitForBody(step: WaitForStep): string {
  const seconds = Math.ceil(durationMs(step.within ?? '30s') / 1000)
  const call = `wait_call() { ${command(step, '20')}; }`
  return `${call}\nwait_for ${seconds} ${step.exit ?? 0} ${quote(step.output ?? '')} wait_call`
}

/** A command line for sh: as its user (default root), within its time, with its stdin or none. */
function command({ argv, as = 'root', stdin, env = {} }: Command, seconds: string, toWord = quote): string {
  const { words, whole } = withEnvironment(argv.map(toWord).join(' '), env)
  const call = `as_user ${quote(as)} timeout -k 5 ${seconds} ${words}`
  return stdin === undefined ? whole(`${call} </dev/null`) : `printf %s ${quote(stdin)} | ${whole(call)}`
}
