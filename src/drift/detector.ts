import type { DriftEvent } from '../core/drift.ts'
import type { SakError } from '../core/errors.ts'
import { fingerprintOf, placeOf } from './fingerprint.ts'

/** An event that says that the detector itself does not work: nothing of it can be kept. */
export function brokenDetector({ code, message }: SakError, at: string): DriftEvent {
  const where = { subject: 'failure' as const, host: null, task: null, key: code }
  const place = placeOf(where)
  const times = { firstSeen: at, lastSeen: at, valueSince: at, toldAt: at, times: 1 }
  const fingerprint = fingerprintOf(place, undefined, message)
  const item = {
    ...where,
    id: `unkept-${at}`,
    place,
    fingerprint,
    message,
    origin: 'unknown' as const,
    ...times,
    reported: true,
  }
  return { id: `unkept-${at}`, kind: 'new', at, run: `unkept-${at}`, item }
}
