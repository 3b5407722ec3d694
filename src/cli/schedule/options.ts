import { type Command, Option } from 'commander'
import { z } from 'zod'

const ScheduleFlags = z.object({
  every: z.string().optional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,100}$/, { error: 'expected letters, digits, _ and -' })
    .default('drift'),
  using: z.enum(['systemd', 'cron']).optional(),
  user: z.boolean().default(false),
  askBecomePass: z.boolean().default(false),
  color: z.boolean().default(true),
})

/** What `sak-reconcile schedule` says. */
export type ScheduleOptions = z.output<typeof ScheduleFlags> & { readonly drift: string[] }

export interface ScheduleCommands {
  schedule(what: 'install' | 'remove' | 'status', options: ScheduleOptions): Promise<void>
}

/** The grammar of `schedule`. */
export function withSchedule(root: Command, commands: ScheduleCommands): void {
  const schedule = root.command('schedule').description('The cron entry or systemd timer for "drift" on this machine.')
  const act = (what: 'install' | 'remove' | 'status') => async (raw: unknown, drift: string[]) =>
    commands.schedule(what, { ...ScheduleFlags.parse(raw), drift })
  withName(schedule.command('install'))
    .description('Runs "drift" from now on: what stands after -- is given to it.')
    .argument('[drift...]', 'the arguments of "drift": a playbook, -i, --report ...')
    .requiredOption('--every <times>', 'when, as cron says it: "*/30 * * * *", "@hourly"')
    .addOption(new Option('--using <what>', 'default: systemd where it runs, else cron').choices(['systemd', 'cron']))
    .option('--user', "in the user's own systemd or crontab")
    .action((drift: string[], raw: unknown) => act('install')(raw, drift))
  withName(schedule.command('status'))
    .description('When it last ran and how that ended, and when it runs next.')
    .action((raw: unknown) => act('status')(raw, []))
  withName(schedule.command('remove'))
    .description('Removes the entry, and all that is kept of it.')
    .option('--user', "from the user's own systemd or crontab")
    .action((raw: unknown) => act('remove')(raw, []))
}

const withName = (command: Command): Command =>
  command
    .option('--name <name>', 'tells several schedules of a machine apart (default: drift)')
    .option('-K, --ask-become-pass', "ask for sudo's password, where this is not root")
    .option('--no-color', 'no colours')
