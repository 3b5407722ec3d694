import { parseCronSchedule, UserName } from 'sak-reconcile'
import { z } from 'zod'
import { escapePercent, longestText, shellLine, variableLine, withVariables } from './parse.ts'

const Schedule = z.string().superRefine((schedule, context) => {
  const times = parseCronSchedule(schedule)
  if (typeof times === 'object' && 'error' in times) context.addIssue({ code: 'custom', message: times.error })
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
const OneLine = z.string().regex(/^[^\x00-\x08\x0a-\x1f\x7f]*$/, { error: 'expected a text of one line' })

const Command = z.union([OneLine.trim().min(1), z.array(OneLine).min(1)])

const Environment = z
  .record(z.string().regex(/^[A-Za-z_]\w*$/, { error: 'expected the name of a variable such as "MAILTO"' }), OneLine)
  .superRefine((environment, context) => {
    for (const [name, value] of Object.entries(environment)) {
      const say = (message: string) => context.addIssue({ code: 'custom', path: [name], message })
      const line = variableLine(name, value)
      if (name === 'LOGNAME' || name === 'USER') say('cron sets this one itself, from the user')
      else if (line === undefined)
        say('cron cannot be given a value that holds both kinds of quotes or ends in a blank')
      else if (line.length > longestText) say(`cron takes no more than ${longestText} characters`)
    }
  })

/** What cron itself reads of the environment; it cannot be set for one entry of a crontab. */
const forCron = ['MAILTO', 'MAILFROM', 'SHELL', 'HOME', 'CONTENT_TYPE', 'CONTENT_TRANSFER_ENCODING']

export const Params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,128}$/, {
        error: 'expected letters, digits, _ and -: cron passes over files such as "backup.sh"',
      })
      .describe(
        'The file in /etc/cron.d, or the mark of our lines in a crontab; cron passes over names such as backup.sh',
      ),
    schedule: Schedule.optional().describe(
      'Five fields with lists, ranges, steps and names, or "@daily", "@reboot" and the like; on the clock of the host. Where both days are restricted cron runs when either matches',
    ),
    command: Command.optional().describe(
      'A line for sh, or a list of arguments, which are quoted for it. "%" and backslashes come through as they are',
    ),
    user: UserName.default('root').describe('Who runs it'),
    environment: Environment.default({}).describe('Variables of this entry alone'),
    place: z
      .enum(['cron.d', 'crontab'])
      .default('cron.d')
      .describe(
        "A file of its own in /etc/cron.d, or marked lines in the user's crontab, all other lines of which keep every byte",
      ),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('"absent": the file, or our lines, are gone; the daemon is left alone'),
  })
  .superRefine(({ state, schedule, command, place, environment }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (state === 'present' && schedule === undefined) say('schedule', 'expected when it runs, such as "@daily"')
    if (state === 'present' && command === undefined) say('command', 'expected what it runs')
    const shared = place === 'crontab' ? forCron.find(name => name in environment) : undefined
    if (commandText({ command, environment, place }).length > longestText) {
      say('command', `cron takes no more than ${longestText} characters: put it into a script`)
    }
    if (shared) say('environment', `${shared} would count for all later lines of the crontab: use place "cron.d"`)
  })
export type Params = z.output<typeof Params>

/** The command as a crontab holds it. A variable of a crontab counts for all lines below it: there they go into the command. */
export function commandText({
  command = '',
  environment,
  place,
}: Pick<Params, 'command' | 'environment' | 'place'>): string {
  const line = shellLine(command)
  return escapePercent(place === 'crontab' ? withVariables(environment, line) : line)
}
