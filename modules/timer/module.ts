import {
  absent,
  defineModule,
  type FileRead,
  type FileState,
  inSync,
  ownedUnit,
  type UnitProperties,
} from 'sak-reconcile'
import { type Found, readTimer } from './found.ts'
import { Params } from './params.ts'
import { findPlace, type Place } from './place.ts'
import { bringUp, takeDown } from './steps.ts'
import { renderUnits, sealOf, type Units } from './units.ts'

/** Keeps a timer of systemd and the service that it starts: saved, loaded as saved and waiting, and back after a reboot. */
export const timer = defineModule({
  name: 'timer',
  description: 'Keeps a timer of systemd and the service that it starts: loaded as saved, and back after a reboot.',
  params: Params,
  impact: 'none',
  example: {
    name: 'backup',
    command: ['/usr/local/bin/backup', '--all'],
    onCalendar: '03:10',
    randomizedDelay: '15m',
    persistent: true,
  },
  keys: {
    saved: 'the two unit files',
    running: 'whether the timer waits, and which version of the units systemd has in memory',
    boot: 'whether the timer is enabled, and for a user whether they linger',
    how: 'what the steps need to know',
  },
  owns: ({ name, scope, user }) =>
    ['timer', 'service'].flatMap(suffix => {
      const unit = `${name}.${suffix}`
      return scope === 'system' ? [`/etc/systemd/system/${unit}`, ownedUnit(unit)] : [ownedUnit(unit, user)]
    }),

  async check(host, params) {
    const place = await findPlace(host, params)
    const found = await readTimer(host, place, params)
    const wanted = params.state === 'present' ? renderUnits(params, place.directory) : undefined
    const { running, boot } = wanted ? layersOf(params, place, found, wanted) : goneLayers(params, found)
    const how = { place, missing: found.missing, hasSystemd: found.units !== undefined }
    return {
      current: { saved: found.files, running: running.current, boot: boot.current, how },
      desired: { saved: filesOf(found, place, wanted), running: running.desired, boot: boot.desired, how },
      blocked: found.reasons,
    }
  },

  apply({ saved, running, boot }, { name, state }, { how }) {
    const files = (saved?.after ?? []).filter((file, index) => !inSync(saved?.before[index], file))
    const timer = `${name}.timer`
    const changed = (layer: typeof running | typeof boot, key: string) => layer?.before[key] !== layer?.after[key]
    const enable = changed(boot, timer)
    if (state === 'present') {
      const activate = running !== undefined || files.length > 0
      return bringUp({ name, ...how, files, enable, linger: changed(boot, 'linger'), activate })
    }
    const active = changed(running, timer)
    const failed = changed(running, 'service')
    return takeDown({ name, ...how, files, activate: how.hasSystemd, active, enabled: enable, failed })
  },
})

type State = Readonly<Record<string, string>>
interface Layer {
  readonly current: State
  readonly desired: State
}
interface Layers {
  readonly running: Layer
  readonly boot: Layer
}

function filesOf({ files }: Found, { owner }: Place, wanted: Units | undefined): FileState[] {
  const [timer, service, ...marks] = files.map(({ path }) => path)
  if (!wanted || timer === undefined || service === undefined) return files.map(({ path }) => absent(path))
  const attributes = owner ? { owner: owner.user } : { owner: 'root', group: 'root' }
  const unit = (path: string, content: string): FileState => ({
    kind: 'file',
    path,
    content,
    mode: '0644',
    ...attributes,
  })
  return [unit(timer, wanted.timer), unit(service, wanted.service), ...marks.map(absent)]
}

const asSaved = 'as saved'

/** Which version of a unit systemd has in memory. Of a file that is to be written it has another, whatever it says. */
function versionOf(
  { LoadState, NeedDaemonReload, Documentation }: UnitProperties,
  file: FileRead | undefined,
  text: string,
) {
  if (LoadState !== 'loaded') return 'none'
  if (NeedDaemonReload === 'yes') return 'older than the file'
  return file?.content === text && Documentation === sealOf(text) ? asSaved : 'another'
}

function layersOf(
  { name }: Params,
  { owner }: Place,
  { files, units, enabled, lingers }: Found,
  wanted: Units,
): Layers {
  const [ofTimer = {}, ofService = {}] = units ?? []
  const timer = `${name}.timer`
  return {
    running: {
      current: {
        [timer]: ofTimer.ActiveState ?? 'inactive',
        'timer in memory': versionOf(ofTimer, files[0], wanted.timer),
        'service in memory': versionOf(ofService, files[1], wanted.service),
      },
      desired: { [timer]: 'active', 'timer in memory': asSaved, 'service in memory': asSaved },
    },
    boot: {
      current: { [timer]: enabled ? 'enabled' : 'disabled', ...(owner && { linger: lingers ? 'yes' : 'no' }) },
      desired: { [timer]: 'enabled', ...(owner && { linger: 'yes' }) },
    },
  }
}

/** A run that is under way may go on, and its unit stays in memory until it has ended. */
function goneLayers({ name }: Params, { units, enabled }: Found): Layers {
  const [ofTimer = {}, ofService = {}] = units ?? []
  const timer = `${name}.timer`
  return {
    running: {
      current: {
        [timer]: ofTimer.ActiveState ?? 'inactive',
        'timer in memory': ofTimer.LoadState === 'loaded' ? 'loaded' : 'none',
        'service in memory': ofService.LoadState === 'loaded' ? 'loaded' : 'none',
        service: ofService.ActiveState === 'failed' ? 'failed' : 'not failed',
      },
      desired: { [timer]: 'inactive', 'timer in memory': 'none', 'service in memory': 'none', service: 'not failed' },
    },
    boot: { current: { [timer]: enabled ? 'enabled' : 'disabled' }, desired: { [timer]: 'disabled' } },
  }
}
