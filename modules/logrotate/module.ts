import {
  absent,
  blocked,
  defineModule,
  type FileRead,
  type FileState,
  file,
  type Host,
  inSync,
  orUnreadable,
  type SakError,
  type Unreadable,
  write,
} from 'sak-reconcile'
import { z } from 'zod'
import { adopt } from './adopt.ts'
import { advice } from './advice.ts'
import { type Configs, hasCreateolddir, readConfigs } from './configs.ts'
import { conflictErrors, findConflicts, withoutConflicts } from './conflicts.ts'
import { type LogEntry, readLogs } from './logs.ts'
import { Stanza } from './options.ts'
import { matches } from './paths.ts'
import { pm2Conflicts, pm2Globs } from './pm2.ts'
import { renderStanzas } from './render.ts'
import { dropInPath, makeDropInDirectory, readSchedule, scheduleSteps } from './schedule.ts'
import { rotatorOf } from './su.ts'
import { includedDirectory, mainFile, readVerdict, validateAll, verdictErrors } from './verdict.ts'

const Params = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, {
      error: 'expected letters, digits, _ and -: logrotate passes over names such as "sak.bak"',
    })
    .default('sak')
    .describe('The file in /etc/logrotate.d; no dots, because logrotate passes over names such as x.bak'),
  stanzas: z
    .array(Stanza)
    .min(1)
    .superRefine((stanzas, context) => {
      const paths = stanzas.flatMap((stanza, index) => stanza.paths.map(path => ({ path, index })))
      for (const [at, { path, index }] of paths.entries()) {
        if (paths.findIndex(other => other.path === path) === at) continue
        context.addIssue({ code: 'custom', path: [index, 'paths'], message: `${path} stands twice` })
      }
    })
    .describe(
      "Which logs are rotated, and how: options go by logrotate's own names, false is the no... of a flag, what is left out is as /etc/logrotate.conf says",
    ),
  overrides: z
    .enum(['report', 'remove'])
    .default('report')
    .describe(
      'Another file rotates the same logs, or a unit is masked: "report" blocks and names the place, "remove" mends it',
    ),
})
type Params = z.output<typeof Params>

const programs = ['/usr/sbin/logrotate', '/usr/bin/logrotate', '/usr/local/sbin/logrotate']

/** Keeps logs rotated: our stanzas, accepted by logrotate within its whole configuration, and what runs it. */
export const logrotate = defineModule({
  name: 'logrotate',
  description: 'Keeps logs rotated: stanzas that logrotate accepts, and the timer that runs it',
  params: Params,
  impact: 'none',
  example: { stanzas: [{ paths: ['/var/www/shop/logs/*.log'], frequency: 'daily', rotate: 7, compress: true }] },
  keys: {
    saved: "our file in /etc/logrotate.d, files of others with our logs, the timer's drop-in",
    running: 'whether logrotate.timer waits',
    boot: 'links and masks of the timer, or the mode of /etc/cron.daily/logrotate where there is no timer',
  },
  advice,
  owns: ({ name, stanzas }) => [
    pathOf(name),
    ...(stanzas.some(stanza => stanza.frequency === 'hourly') ? [dropInPath(name)] : []),
  ],
  adopt,
  async check(host, params) {
    const [installed, schedule, ...read] = await Promise.all([
      Promise.all(programs.map(program => host.stat(program))),
      readSchedule(host, params),
      host.file(pathOf(params.name)),
      readLogs(host, [...new Set(params.stanzas.flatMap(stanza => stanza.paths))]),
      orUnreadable(host.files(pm2Globs)),
      readConfigsAndVerdict(host),
    ])
    if (installed.every(found => found === null)) {
      throw blocked(
        'not-installed',
        'logrotate is not installed',
        "packages({ name: 'logrotate' }) before this task installs it",
      )
    }
    const { current, desired, reasons } = judge(params, ...read)
    const { dropIn, running, boot } = schedule
    return {
      current: {
        saved: dropIn ? [...current, dropIn.current] : current,
        running: running.current,
        boot: boot.current,
      },
      desired: {
        saved: dropIn ? [...desired, dropIn.desired] : desired,
        running: running.desired,
        boot: boot.desired,
      },
      blocked: [...reasons, ...schedule.blocked],
    }
  },
  apply({ saved, running, boot }, { name }, current) {
    const changed = (saved?.after ?? []).filter((after, index) => !inSync(saved?.before[index], after))
    const dropIn = changed.filter(({ path }) => path === dropInPath(name))
    const configs = changed.filter(({ path }) => path !== dropInPath(name))
    return [
      dropIn.some(({ content }) => content !== null) && makeDropInDirectory,
      ...changed.map(state => write(state)),
      configs.length > 0 && validateAll([...new Set([name, ...configs.map(({ path }) => baseName(path))])]),
      ...scheduleSteps({ current: current.running, running, boot, dropInChanged: dropIn.length > 0 }),
    ]
  },
})

const pathOf = (name: string) => `${includedDirectory}/${name}`
const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1)

interface ConfigsAndVerdict extends Configs {
  readonly verdict: readonly string[] | undefined
}

async function readConfigsAndVerdict(host: Host): Promise<ConfigsAndVerdict> {
  const configs = await readConfigs(host)
  if (hasCreateolddir(configs.files)) return { ...configs, verdict: undefined }
  const verdict = await orUnreadable(readVerdict(host))
  if (!('kind' in verdict)) return { ...configs, verdict }
  const error =
    verdict.error.code === 'needs-root'
      ? blocked('needs-root', 'only root can ask logrotate what it makes of its configuration', verdict.error.hint)
      : verdict.error
  return { ...configs, verdict: undefined, blocked: [error] }
}

/** Pure: our file and those of others as they are and should be, and what stands in the way. */
function judge(
  { name, stanzas, overrides }: Params,
  saved: FileRead,
  entries: readonly LogEntry[],
  pm2: readonly FileRead[] | Unreadable,
  { files, verdict, blocked: unread }: ConfigsAndVerdict,
): { current: readonly FileState[]; desired: readonly FileState[]; reasons: readonly SakError[] } {
  const path = pathOf(name)
  const rotators = stanzas.map(stanza => ({ stanza, ...rotatorOf(stanza, entries) }))
  const ours = file(path, renderStanzas(rotators))
  const others = files.filter(other => other.path !== path)
  const conflicts = findConflicts(stanzas, others, entries, other => other === mainFile || other < path)
  const mended = overrides === 'remove' ? withoutConflicts(conflicts) : []
  const written = inSync(saved, ours) && conflicts.length === 0
  const globs = stanzas.flatMap(stanza => stanza.paths)
  const isOurs = (log: string) => globs.some(glob => matches(log, glob) || matches(log, directoryOf(glob)))
  const unseen = [...unread, ...('kind' in pm2 ? [pm2.error] : [])]
  return {
    current: [saved, ...mended.map(({ path }) => others.find(other => other.path === path) ?? absent(path))],
    desired: [ours, ...mended],
    reasons: [
      ...rotators.flatMap(rotator => rotator.blocked),
      ...conflictErrors(conflicts, overrides, name),
      ...('kind' in pm2 ? [] : pm2Conflicts(stanzas, pm2)),
      ...unseen.slice(0, 1),
      ...(verdict ? verdictErrors(verdict, name, written, isOurs) : []),
    ],
  }
}

const directoryOf = (glob: string) => glob.slice(0, glob.lastIndexOf('/')) || '/'
