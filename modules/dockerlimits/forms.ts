/** The two ways in which compose takes each limit. */
import { type Params, type SettingName, settingNames } from './params.ts'

export type Path = readonly [string, ...string[]]

interface Forms {
  /** Of the compose specification, and of swarm. */
  readonly deploy: Path
  /** Of the service itself; there is none for what only swarm heeds. */
  readonly own?: Path
}

export const formsOf: Readonly<Record<SettingName, Forms>> = {
  memory: { deploy: ['deploy', 'resources', 'limits', 'memory'], own: ['mem_limit'] },
  cpus: { deploy: ['deploy', 'resources', 'limits', 'cpus'], own: ['cpus'] },
  memoryReservation: { deploy: ['deploy', 'resources', 'reservations', 'memory'], own: ['mem_reservation'] },
  cpuReservation: { deploy: ['deploy', 'resources', 'reservations', 'cpus'] },
}

/** Where limits stand together in `deploy`, and the service's own keys for them. */
export interface Group {
  readonly path: Path
  readonly own: readonly { readonly key: string; readonly name: string }[]
}

export const limitsGroup: Group = {
  path: ['deploy', 'resources', 'limits'],
  own: [
    { key: 'mem_limit', name: 'memory' },
    { key: 'cpus', name: 'cpus' },
    { key: 'pids_limit', name: 'pids' },
  ],
}

export const reservationsGroup: Group = {
  path: ['deploy', 'resources', 'reservations'],
  own: [{ key: 'mem_reservation', name: 'memory' }],
}

export const groupOf = (name: SettingName): Group =>
  name === 'memory' || name === 'cpus' ? limitsGroup : reservationsGroup

export const pathsOf = (name: SettingName): readonly Path[] => {
  const { deploy, own } = formsOf[name]
  return own ? [deploy, own] : [deploy]
}

/** One value that a task rules. */
export interface Ruled {
  readonly service: string
  readonly name: SettingName
  readonly value: number
}

export function ruledOf({ services }: Pick<Params, 'services'>): readonly Ruled[] {
  return Object.entries(services).flatMap(([service, limits]) =>
    settingNames.flatMap(name => {
      const value = limits[name]
      return value === undefined ? [] : [{ service, name, value }]
    }),
  )
}
