import { defineModule, findSystemd, ownedUnit, type Unreadable } from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { readUnit } from './found.ts'
import { bootLayer, definition, runningLayer, type State } from './layers.ts'
import { obstacles } from './obstacles.ts'
import { Params, unitFiles } from './params.ts'
import { isLooping, isUp, running } from './parse.ts'
import { stepsOf, type Work } from './steps.ts'

/** Keeps a unit of systemd: running, back after a reboot, and started or reloaded since the files that it follows last changed. */
export const service = defineModule({
  name: 'service',
  description:
    'Keeps a unit of systemd: running or not, now and after a reboot, and started since the files that it follows last changed.',
  params: Params,
  impact: 'restart',
  impactOf: ({ state, restartedAfter, reloadedAfter }) => {
    if (state === 'stopped' || state === 'masked' || restartedAfter.length > 0) return 'restart'
    return reloadedAfter.length > 0 ? 'reload' : 'none'
  },
  example: { name: 'app', restartedAfter: ['/etc/app.conf', '/etc/systemd/system/app.service'] },
  keys: {
    running:
      'whether it runs and stays up, by what definition, and for each file whether it was started or reloaded since',
    boot: 'whether it is enabled, and for a user whether they linger',
    how: 'what the steps need to know',
  },
  owns: ({ name, scope, user }) => [ownedUnit(name, scope === 'user' ? user : undefined)],
  follows: params => [...params.restartedAfter, ...params.reloadedAfter, ...unitFiles(params)],
  adopt,

  async check(host, params) {
    const systemd = await findSystemd(host, { scope: params.scope, user: params.user ?? 'root' })
    const found = await readUnit(host, systemd, params)
    const { unit } = found
    const [now, boot] = [runningLayer(found, params), bootLayer(found, params)]
    const how = {
      systemd,
      up: isUp(unit.properties),
      looping: isLooping(unit),
      failed: unit.properties.ActiveState === 'failed',
      masked: unit.properties.LoadState === 'masked',
    }
    const current: { running: State | Unreadable; boot: State; how: typeof how } = {
      running: now.current,
      boot: boot.current,
      how,
    }
    return {
      current,
      desired: { running: now.desired, boot: boot.desired, how },
      blocked: obstacles(unit, params, systemd.directory),
    }
  },

  apply({ running: now, boot }, params, { how }) {
    const { name, state, restartedAfter, reloadedAfter } = params
    const { systemd, up, looping, failed, masked } = how
    const isDue = (keys: readonly string[]) => keys.some(key => now?.before[key] !== now?.after[key])
    const wantsUp = now?.after[name] === running
    const action = (): Work['action'] => {
      if (isDue([name])) return wantsUp ? 'start' : 'stop'
      if (!up) return undefined
      return isDue(restartedAfter) ? 'restart' : isDue(reloadedAfter) ? 'reload' : undefined
    }
    const enabled = boot && boot.before[name] !== boot.after[name] ? boot.after[name] : undefined
    return stepsOf(
      {
        systemd,
        action: action(),
        looping,
        mask:
          enabled === 'masked' ? 'mask' : masked && enabled !== undefined && state === 'running' ? 'unmask' : undefined,
        enable: enabled === 'enabled' ? 'enable' : enabled === 'disabled' ? 'disable' : undefined,
        linger: boot !== undefined && boot.before.linger !== boot.after.linger,
        load: isDue([definition]),
        failed,
      },
      params,
    )
  },
})
