import { AbsolutePath, Duration, UserName } from 'sak-reconcile'
import { z } from 'zod'

const types = ['service', 'socket', 'timer', 'path', 'mount', 'automount', 'swap', 'target']
const typed = new RegExp(`\\.(${types.join('|')})$`)

const UnitName = z
  .string()
  .regex(/^[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\@-]{0,240}$/, { error: 'expected a unit such as "nginx" or "app.socket"' })
  .refine(name => !/@(\.|$)/.test(name), { error: 'expected an instance of the template, such as "app@one"' })
  .transform(name => (typed.test(name) ? name : `${name}.service`))

const Paths = z
  .array(AbsolutePath)
  .default([])
  .transform(paths => [...new Set(paths)].sort())

export const Params = z
  .strictObject({
    name: UnitName.describe('The unit; without a type (.socket, .timer, .mount ...) a .service'),
    state: z
      .enum(['running', 'stopped', 'masked', 'leave'])
      .default('running')
      .describe('"masked": stopped, and nothing can start it; "leave": as it is, which is for following files only'),
    enabled: z
      .union([z.boolean(), z.literal('leave')])
      .optional()
      .describe('Started at boot. Left out: what runs is enabled and what is stopped is not, where that can be'),
    restartedAfter: Paths.describe(
      'Files and directories, with all that is in them, since whose last change it must have been started',
    ),
    reloadedAfter: Paths.describe('The same, where a reload is enough'),
    validate: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('A program that must succeed before it is started, restarted or reloaded: ["sshd", "-t"]'),
    steadyFor: Duration.default('3s').describe('How long a service must stay up once it was started or restarted'),
    overrides: z
      .enum(['report', 'remove'])
      .default('report')
      .describe('Of somebody else who has masked it: "report" blocks the task, "remove" unmasks it'),
    scope: z
      .enum(['system', 'user'])
      .default('system')
      .describe('A unit of the system, or of the own systemd of `user` (systemctl --user)'),
    user: UserName.optional().describe('Whose systemd it is, with scope "user"'),
  })
  .superRefine(({ state, enabled, restartedAfter, reloadedAfter, scope, user }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const twice = restartedAfter.find(path => reloadedAfter.includes(path))
    const follows = restartedAfter.length + reloadedAfter.length > 0
    if (twice !== undefined) say('reloadedAfter', `${twice} is in restartedAfter too, and a restart loads it anyway`)
    if (scope === 'user' && (user === undefined || user === 'root'))
      say('user', 'expected whose systemd it is, such as "ubuntu"')
    if (scope === 'system' && user !== undefined) say('user', 'only scope: "user" has one')
    if (follows && (state === 'stopped' || state === 'masked'))
      say('state', 'what is stopped follows no files: leave out restartedAfter and reloadedAfter')
    if (state === 'leave' && !follows && (enabled === undefined || enabled === 'leave'))
      say('state', 'expected something to keep: a state, enabled, restartedAfter or reloadedAfter')
    if (state === 'masked' && enabled === true) say('enabled', 'what is masked is not started at boot')
  })
export type Params = z.output<typeof Params>

/** Where an administrator's files of the unit are, of what must be there to be kept. */
export function unitFiles({ name, state, scope }: Params): readonly string[] {
  if (scope === 'user' || state === 'stopped' || state === 'masked') return []
  return unitNames(name).flatMap(each => [`/etc/systemd/system/${each}`, `/etc/systemd/system/${each}.d`])
}

/** Those of the unit and of the template that it is an instance of. */
export const unitNames = (name: string): readonly string[] => [...new Set([name, name.replace(/@.*\./, '@.')])]

/** Whether it is to be started at boot. What runs is, unless something else is said. */
export function wantsEnabled({ state, enabled }: Params): boolean | 'leave' {
  return enabled ?? (state === 'leave' ? 'leave' : state === 'running')
}
