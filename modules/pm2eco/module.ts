import {
  daemonReload,
  defineModule,
  type FileRead,
  type Host,
  orUnreadable,
  run,
  type SakError,
  type Step,
  service,
  type Unreadable,
  write,
} from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { advice } from './advice.ts'
import { desiredState } from './app.ts'
import { checkUnit, desiredUnit, needsWriting } from './boot.ts'
import { findCopies, pm2Of, readProcesses } from './daemon.ts'
import { desiredEcosystem, findObstacles, isByHand, refuseByHand } from './ecosystem.ts'
import { footprint } from './footprint.ts'
import { Params } from './params.ts'
import { parseDump } from './parse.ts'
import { findPlace } from './place.ts'
import {
  desiredApps,
  desiredRunning,
  differs,
  dumpReport,
  type Facts,
  named,
  onlineUnlisted,
  type Report,
  refuseVariables,
  runningReport,
  stateOf,
} from './report.ts'
import { foreseenList } from './saved-list.ts'
import { type Planned, stepsFor, stopUnlisted, waitUntilHealthy } from './steps.ts'
import type { Pm2 } from './undo.ts'

/** Keeps the apps of a user's PM2 as an ecosystem file says: in the file, running, and after a reboot. */
export const pm2eco = defineModule({
  name: 'pm2eco',
  description: "Keeps the apps of a user's PM2 as an ecosystem file says: in the file, running, and after a reboot.",
  params: Params,
  impact: 'restart',
  example: {
    user: 'ubuntu',
    apps: [
      { name: 'shop', script: 'server.js', cwd: '/var/www/shop', max_memory_restart: '850M', env: { PORT: 5000 } },
    ],
  },
  keys: {
    saved: 'the ecosystem file, with mode and owner',
    running: 'pm2 jlist as the user: settings, processes, their status, variables; and a daemon at all',
    boot: 'what pm2 save kept, and pm2-USER.service',
  },
  owns: ({ path, user, apps }) => [path, ...apps.map(app => `pm2:${user}:${app.name}`)],

  footprint,
  advice,

  adopt,
  async check(host, params) {
    const [place, saved, obstacles, processors] = await Promise.all([
      findPlace(host, params),
      orUnreadable(host.file(params.path)),
      findObstacles(host, params),
      countProcessors(host, params),
    ])
    const [listed, unit, copies] = await Promise.all([
      orUnreadable(readProcesses(host, place, params.user)),
      checkUnit(host, place, params.user, params.takeOver),
      findCopies(host, place, params),
    ])
    const running = 'error' in listed ? [] : listed
    const dumped = 'error' in place.dump ? [] : (parseDump(place.dump.content ?? '[]') ?? [])
    // in both, the same: apply needs it, and it never is a change
    const facts: Facts = { place, processors, processes: place.daemon ? running : dumped, unit }
    const ecosystem = desiredEcosystem(params, place.group)
    return {
      current: {
        saved,
        running: 'error' in listed ? listed : runningReport(facts, running, params),
        boot: 'error' in place.dump ? place.dump : { ...unit.current, ...dumpReport(facts, dumped, params) },
        facts,
      },
      desired: {
        saved: ecosystem,
        running: desiredRunning(facts, params),
        boot: { ...unit.desired, ...desiredApps(facts, params) },
        facts,
      },
      blocked: [
        ...obstacles,
        ...copies,
        ...unit.blocked,
        ...(params.takeOver ? [] : refuse(facts, saved, ecosystem, params)),
      ],
    }
  },

  apply: ({ saved, running, boot }, params, { facts }) => {
    const { place } = facts
    const pm2 = pm2Of(place, params.user)
    const planned = running ? planApps(facts, params) : []
    const unlisted = running && params.unlisted === 'stop' ? onlineUnlisted(facts.processes, params) : []
    return [
      saved && write(saved.after),
      ...(boot ? unitSteps(facts, params.user) : []),
      running && !place.daemon && service(place.unit.name, 'start'),
      ...planned.flatMap(each => stepsFor(pm2, params.path, each)),
      ...unlisted.map(name => stopUnlisted(pm2, name)),
      running && waitUntilHealthy(pm2, planned, params.health),
      ...(boot && saveNeeded(boot.before, boot.after) ? saveSteps(facts, pm2, params) : []),
    ]
  },
})

async function countProcessors(host: Host, { apps }: Params): Promise<number> {
  if (!apps.some(app => app.instances === 'max')) return 1
  const { content } = await host.file('/proc/cpuinfo')
  return Math.max(1, (content ?? '').match(/^processor\s*:/gm)?.length ?? 1)
}

/** What was set up by hand is not ours to replace without consent. */
function refuse(facts: Facts, saved: FileRead | Unreadable, ecosystem: FileRead, params: Params): SakError[] {
  if ('error' in saved) return []
  const ours = saved.content !== null && !isByHand(saved)
  return [...refuseByHand(saved, ecosystem), ...(ours ? [] : refuseVariables(facts, params))]
}

function planApps(facts: Facts, params: Params): readonly Planned[] {
  return params.apps.map(app => ({
    app,
    before: stateOf(facts, facts.processes, params, app.name),
    after: desiredState(app, facts.processors),
    processes: named(facts.processes, app.name),
  }))
}

function unitSteps({ place, unit }: Facts, user: string): readonly Step[] {
  const { current, desired } = unit
  if (!differs(current, desired)) return []
  return [
    ...(needsWriting(current, desired) ? [write(desiredUnit(place, user)), daemonReload()] : []),
    ...(current.unit === 'enabled' ? [] : [service(place.unit.name, 'enable')]),
  ]
}

function saveNeeded(before: Report, after: Report): boolean {
  const apps = (report: Report): Report =>
    Object.fromEntries(Object.entries(report).filter(([key]) => key !== 'unit' && !key.startsWith('unit.')))
  return differs(apps(before), apps(after))
}

/** Writing the old list over itself makes the transaction keep it, byte for byte, should anything later fail. */
function saveSteps(facts: Facts, { pm2, user, env }: Pm2, params: Params): readonly Step[] {
  const { dump, pm2Home } = facts.place
  const list = foreseenList(pm2Home, facts.processes, params)
  const forget = { argv: ['rm', '-f', '--', `${pm2Home}/dump.pm2`], as: user }
  const old = 'error' in dump || dump.content === null || dump.binary ? undefined : dump
  return [
    ...(old ? [write({ kind: 'file', path: old.path, content: old.content })] : []),
    run([pm2, 'save'], { as: user, env, undo: old ? 'resumable' : [forget], leaves: [list] }),
  ]
}
