/** What brings PM2 back after a reboot: its systemd unit, and the list that `pm2 save` keeps. */
import { blocked, type FileState, file, type Host, renderTemplate, type SakError } from 'sak-reconcile'
import type { Scalar } from './fields.ts'
import { header } from './parse.ts'
import type { Place } from './place.ts'

/** The unit in the words of a report. */
export type UnitState = Readonly<Record<string, Scalar>>

export interface BootCheck {
  readonly current: UnitState
  readonly desired: UnitState
  readonly blocked: readonly SakError[]
}

/** Compares the unit with what it must do: start this user's PM2, with a program that is there. */
export async function checkUnit(host: Host, place: Place, user: string, takeOver: boolean): Promise<BootCheck> {
  const { unit: found, pm2Home, home, pm2 } = place
  const { unit } = found
  const program = unit?.start[0]
  const starts = program !== undefined && unit?.start.includes('resurrect') && (await host.stat(program)) !== null
  const resurrects = unit?.start.join(' ') ?? ''
  const current: UnitState = {
    unit: found.masked ? 'masked' : !unit ? 'none' : found.enabled ? 'enabled' : 'disabled',
    ...(unit && {
      'unit.User': unit.user ?? 'root',
      'unit.PM2_HOME': unit.pm2Home ?? (unit.user === user ? `${home}/.pm2` : 'not set'),
      'unit.ExecStart': starts ? resurrects : `${resurrects} (does not start PM2, or is not there)`,
    }),
  }
  const desired: UnitState = {
    unit: 'enabled',
    'unit.User': user,
    'unit.PM2_HOME': pm2Home,
    'unit.ExecStart': starts ? resurrects : `${pm2} resurrect`,
  }
  return { current, desired, blocked: refuse(place, needsWriting(current, desired), takeOver) }
}

/** Whether the unit file itself is wrong, and not only disabled. */
export function needsWriting(current: UnitState, desired: UnitState): boolean {
  return Object.keys(desired).some(key => key.startsWith('unit.') && current[key] !== desired[key])
}

function refuse({ unit: found }: Place, writing: boolean, takeOver: boolean): SakError[] {
  if (found.masked) {
    return [blocked('refused', `${found.name} is masked`, `systemctl unmask ${found.name}, if PM2 shall start at boot`)]
  }
  if (!writing || takeOver || !found.unit || found.unit.generated) return []
  const hint = `mend it by hand, or set takeOver to true to have it replaced`
  return [blocked('refused', `${found.path} was written by hand, and does not bring this PM2 back at boot`, hint)]
}

/** The unit, as `pm2 startup` would write it. */
export function desiredUnit({ unit, pm2, pm2Home, path }: Place, user: string): FileState {
  return file(unit.path, renderTemplate(new URL('./unit.ejs', import.meta.url), { header, user, path, pm2, pm2Home }))
}
