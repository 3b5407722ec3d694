import { defineModule, isSakError, orUnreadable, partOf } from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { advice } from './advice.ts'
import { readEngine } from './engine.ts'
import { composeFiles, fileSteps, possiblePaths } from './files.ts'
import { footprint } from './footprint.ts'
import { Params } from './params.ts'
import { memoryCounts, parseHeld } from './parse.ts'
import { containersOf, keptOf, reportNow, reportWanted, runningObjections, updateSteps } from './running.ts'

/** Keeps limits of memory and processors of compose services: in the file, and of the containers that are there. */
export const dockerlimits = defineModule({
  name: 'dockerlimits',
  description: 'Keeps limits of memory and processors of compose services: in the file, and of their containers.',
  params: Params,
  impact: 'reload',
  example: {
    project: '/srv/app',
    services: {
      api: { memory: '1G', memoryReservation: '768M', cpus: 1.5 },
      db: 'postgresql',
    },
  },
  keys: {
    saved: 'the compose files that have to change',
    running: 'the limits that the engine keeps of each container, for now and for later starts',
    project: 'what the steps need to know',
  },
  owns: params => {
    const services = Object.keys(params.services)
    return possiblePaths(params).flatMap(path => services.map(service => partOf(path, `the limits of ${service}`)))
  },
  footprint,
  advice,
  adopt,
  async check(host, params) {
    const [found, engine, held] = await Promise.all([
      composeFiles(host, params),
      readEngine(host),
      orUnreadable(host.files(memoryCounts)),
    ])
    if (isSakError(found)) throw found
    const { directory, files } = found
    const { decide } = await import('./saved.ts')
    const decision = decide(files, params)
    const known = 'machine' in engine ? engine : undefined
    const kept = known ? keptOf(containersOf(files, known), params, decision.swap) : []
    const project = { directory, kept, machine: known?.machine ?? { processors: 0, memory: 0, cgroups: 0 } }
    const counts = { machine: project.machine, held: parseHeld('kind' in held ? [] : held) }
    return {
      current: { saved: files, running: 'kind' in engine ? engine : reportNow(kept), project },
      desired: { saved: decision.files, running: reportWanted(kept), project },
      blocked: [...decision.blocked, ...runningObjections(files, kept, counts, params)],
    }
  },
  apply: ({ saved }, _params, { project: { directory, kept, machine } }) => [
    ...(saved ? fileSteps(directory, saved.before, saved.after) : []),
    ...updateSteps(kept, machine),
  ],
})
