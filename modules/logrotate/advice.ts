import type { AdviceRule } from 'sak-reconcile'
import { z } from 'zod'
import type { Stanza } from './options.ts'
import { matches } from './paths.ts'
import { copiesAndTruncates } from './render.ts'

interface Params {
  readonly stanzas: readonly Stanza[]
}

/** What is needed of the apps of other tasks. */
const Apps = z.object({
  user: z.string(),
  apps: z.array(
    z.object({ name: z.string(), cwd: z.string(), out_file: z.string().optional(), error_file: z.string().optional() }),
  ),
})
type Apps = z.output<typeof Apps>

const homeOf = (user: string) => (user === 'root' ? '/root' : `/home/${user}`)

/** The logs that PM2 writes for apps, where it keeps them unless it is told otherwise. */
function logsOf({ user, apps }: Apps): readonly string[] {
  const folder = `${homeOf(user)}/.pm2/logs`
  return apps.flatMap(({ name, out_file, error_file }) => [
    out_file ?? `${folder}/${name}-out.log`,
    error_file ?? `${folder}/${name}-error.log`,
  ])
}

const twoRotators: AdviceRule<Params> = {
  id: 'two-rotators',
  source: "pm2-logrotate's README; logrotate(8), copytruncate",
  check: ({ stanzas }, { tasksOf }) => {
    const rotatedByPm2 = new Set(
      tasksOf('pm2logrotate', z.object({ user: z.string() })).map(({ params }) => params.user),
    )
    const logs = tasksOf('pm2eco', Apps).flatMap(({ params }) => (rotatedByPm2.has(params.user) ? logsOf(params) : []))
    const globs = stanzas.flatMap(({ paths }) => paths)
    return logs.flatMap(log => {
      const glob = globs.find(each => matches(log, each))
      if (glob === undefined) return []
      return [
        {
          message: `${glob} and pm2-logrotate both rotate ${log}: each rotates, and in the end removes, what the other has kept`,
          suggestion: 'leave the log to one of the two: narrow `paths`, or leave pm2logrotate out',
        },
      ]
    })
  },
}

const lostAfterRotation: AdviceRule<Params> = {
  id: 'logs-lost-after-rotation',
  source: "measured: PM2's daemon goes on writing to out.log.1; logrotate(8), copytruncate",
  check: ({ stanzas }, { tasksOf }) => {
    const apps = tasksOf('pm2eco', Apps)
    const keepsOpen = (glob: string) =>
      apps.some(
        ({ params }) =>
          params.apps.some(({ cwd }) => glob.startsWith(`${cwd}/`)) || logsOf(params).some(log => matches(log, glob)),
      )
    return stanzas.flatMap(stanza => {
      const glob = stanza.paths.find(keepsOpen)
      if (glob === undefined || copiesAndTruncates(stanza) || stanza.copy || stanza.postrotate || stanza.lastaction)
        return []
      return [
        {
          message: `${glob} is renamed and nobody tells the app, which goes on writing to the old log until that is removed`,
          suggestion: 'copytruncate: true',
        },
      ]
    })
  },
}

export const advice = [twoRotators, lostAfterRotation]
