import { blocked, type SakError } from 'sak-reconcile'
import { type Stanza, scriptNames } from './options.ts'

/** What systemd keeps from logrotate when its timer runs it, as `systemctl show logrotate.service` says. */
export interface Sandbox {
  readonly PrivateTmp?: string
  readonly ProtectSystem?: string
  readonly MemoryDenyWriteExecute?: string
}

/** What works when logrotate is called in a shell, and not when the timer does it. */
export function sandboxErrors(sandbox: Sandbox, stanzas: readonly Stanza[]): readonly SakError[] {
  return stanzas.flatMap(stanza => [...outOfReach(sandbox, stanza), ...withoutJit(sandbox, stanza)])
}

const readOnly: Readonly<Record<string, RegExp>> = {
  yes: /^\/(?:usr|boot|efi)\//,
  full: /^\/(?:usr|boot|efi|etc)\//,
}

function outOfReach({ PrivateTmp, ProtectSystem = 'no' }: Sandbox, { paths }: Stanza): readonly SakError[] {
  const temporary = PrivateTmp === 'yes' ? paths.find(path => /^\/(?:var\/)?tmp\//.test(path)) : undefined
  const guarded = paths.find(path => readOnly[ProtectSystem]?.test(path))
  return [
    ...(temporary ? [refused(`never sees ${temporary}: it has a /tmp of its own (PrivateTmp)`)] : []),
    ...(guarded ? [refused(`may not write beside ${guarded} (ProtectSystem=${ProtectSystem})`)] : []),
  ]
}

function withoutJit({ MemoryDenyWriteExecute }: Sandbox, stanza: Stanza): readonly SakError[] {
  if (MemoryDenyWriteExecute !== 'yes') return []
  const name = scriptNames.find(script =>
    /(?:^|[\s;&|/(])(?:pm2|node|nodejs|npm|npx)(?=\s|$)/m.test(stanza[script] ?? ''),
  )
  if (name === undefined) return []
  return [
    refused(
      `cannot run the ${name} script: Node.js dies under MemoryDenyWriteExecute`,
      'leave the script out: with copytruncate nobody needs to be told',
    ),
  ]
}

function refused(what: string, hint = 'move the log, or ease logrotate.service by a drop-in'): SakError {
  return blocked('refused', `logrotate.service ${what}`, hint)
}
