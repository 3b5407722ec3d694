import { AbsolutePath, Duration, UserName } from 'sak-reconcile'
import { z } from 'zod'

// no control characters, and no backslash that would join the next line
const Line = z.string().regex(/^[^\p{Cc}\\]+$/u, { error: 'expected a text of one line without backslashes' })
const Text = z.string().refine(text => !text.includes('\0'), { error: 'a NUL character cannot be handed to a program' })

const Calendar = z.string().regex(/^[\w*,./:~+ -]+$/, {
  error: 'expected a calendar event such as "daily", "Mon..Fri 03:10" or "*-*-1 04:00 Europe/Berlin"',
})

export const Params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9:_-]{0,120}$/, { error: 'expected letters, digits, _ - and : such as "backup"' })
      .describe('Names the units: NAME.timer and NAME.service'),
    command: z
      .array(Text)
      .min(1)
      .refine(([program = '']) => /^\/[\w@+:,./-]+$/.test(program), {
        error: 'expected the absolute path of a program first, such as "/usr/bin/rsync"',
      })
      .optional()
      .describe('The program and its arguments; no shell reads them, so that nothing in them is special'),
    onCalendar: z
      .union([Calendar, z.array(Calendar).min(1)])
      .transform(value => [value].flat())
      .optional()
      .describe('When, as calendar events (systemd.time): "daily", "Mon..Fri 03:10", or a list of them'),
    onBoot: Duration.optional().describe('How long after boot'),
    onUnitActive: Duration.optional().describe(
      'Again how long after it last ran, beside a first time by one of the others',
    ),
    persistent: z.boolean().default(false).describe('Catch up at once on a calendar event that the host was off for'),
    randomizedDelay: Duration.optional().describe(
      'Spread the start over this time, so that many hosts do not start at once',
    ),
    accuracy: Duration.default('1m').describe('How much later it may start, to save wake-ups'),
    scope: z
      .enum(['system', 'user'])
      .default('system')
      .describe(
        'Units of the system, or of the own systemd of `user` (systemctl --user), who is then let linger: it runs without a login',
      ),
    user: UserName.default('root').describe('Who runs the program'),
    environment: z
      .record(z.string().regex(/^[A-Za-z_]\w*$/, { error: 'expected the name of a variable such as "LANG"' }), Text)
      .default({})
      .describe('Variables of the program; all can read them, so they are no place for secrets'),
    workingDirectory: AbsolutePath.and(Line).optional().describe('Where the program starts'),
    timeout: Duration.optional().describe('When a run is ended by force; left out, never'),
    noNewPrivileges: z.boolean().default(true).describe('Keep the program from gaining rights, by sudo say'),
    description: Line.optional().describe('What it is for, in lists of units'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('"absent": stopped, disabled, and every file of it gone; a run that is under way ends by itself'),
  })
  .superRefine(({ state, command, onCalendar, onBoot, scope, user, persistent }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (scope === 'user' && user === 'root') say('user', 'expected whose systemd it is, such as "ubuntu"')
    if (state === 'absent') return
    if (command === undefined) say('command', 'expected what it runs, such as ["/usr/local/bin/backup"]')
    if (!onCalendar && !onBoot) say('onCalendar', 'expected when it first runs: onCalendar, onBoot or both')
    if (persistent && !onCalendar) say('persistent', 'only calendar events can be caught up on')
  })
export type Params = z.output<typeof Params>
