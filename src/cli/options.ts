import { Command } from 'commander'
import { z } from 'zod'
import { Health, MaxFail, Serial } from '../core/rollout.ts'
import { impacts } from '../core/step.ts'
import { Duration } from '../core/units.ts'
import { reportFormats } from '../reports/formats.ts'
import { version } from '../version.ts'
import {
  hostKeyChecking,
  withHostOptions,
  withLoginOptions,
  withReportOptions,
  withRunOptions,
} from './option-groups.ts'
import { append, duration, FurtherReport } from './option-values.ts'
import { type ScheduleCommands, withSchedule } from './schedule/options.ts'

const Options = z.object({
  dryRun: z.boolean().default(false),
  check: z.boolean().default(false),
  savePlan: z.string().optional(),
  allowDeferred: z.boolean().default(false),
  inventory: z.array(z.string()).optional(),
  limit: z.string().optional(),
  tags: z.array(z.string()).optional(),
  skipTags: z.array(z.string()).optional(),
  forks: z.number().optional(),
  serial: Serial.optional(),
  maxFail: MaxFail.optional(),
  health: Health.shape.url,
  allow: z.enum(impacts).optional(),
  allowOverBudget: z.boolean().optional(),
  lockWait: Duration.optional(),
  var: z.record(z.string(), z.unknown()).optional(),
  user: z.string().optional(),
  become: z.boolean().optional(),
  askBecomePass: z.boolean().default(false),
  privateKey: z.string().optional(),
  jump: z.string().optional(),
  hostKeyChecking: z.enum(hostKeyChecking).optional(),
  format: z.enum(reportFormats).default('text'),
  json: z.boolean().default(false),
  output: z.string().optional(),
  report: z.array(FurtherReport).default([]),
  trace: z.string().optional(),
  yes: z.boolean().default(false),
  quiet: z.boolean().default(false),
  verbose: z.boolean().default(false),
  color: z.boolean().default(true),
})

/** What the command line says. */
export type CliOptions = z.output<typeof Options> & { readonly playbook?: string }

/** The commands that the command line can call. */
export interface Commands extends ScheduleCommands {
  reconcile(options: CliOptions): Promise<void>
  applyPlan(file: string, options: CliOptions): Promise<void>
  report(file: string | undefined, options: CliOptions): Promise<void>
  drift(options: DriftOptions): Promise<void>
  history(options: HistoryOptions): Promise<void>
  record(options: CliOptions & RecordOptions): Promise<void>
  modules(options: ReferenceOptions): Promise<void>
  schema(name: string | undefined): Promise<void>
  inventory(options: InventoryOptions): Promise<void>
}

const ReportFlags = z.object({ playbook: z.string().optional() })

const DriftFlags = z.object({
  all: z.boolean().default(false),
  jitter: Duration.optional(),
  deadline: Duration.optional(),
})

/** What `sak-reconcile drift` says. */
export type DriftOptions = CliOptions & z.output<typeof DriftFlags>

const HistoryFlags = z.object({
  since: z.string().optional(),
  inventory: z.array(z.string()).optional(),
  host: z.string().optional(),
  task: z.string().optional(),
  json: z.boolean().default(false),
  color: z.boolean().default(true),
})

/** What `sak-reconcile history` says. */
export type HistoryOptions = z.output<typeof HistoryFlags> & { readonly playbook?: string }

const RecordOptions = z
  .object({
    fixtures: z.string(),
    case: z.string().optional(),
    playbook: z.boolean().default(false),
  })
  .transform(({ playbook: asPlaybook, ...rest }) => ({ ...rest, asPlaybook }))
export type RecordOptions = z.output<typeof RecordOptions>

const ReferenceOptions = z.object({ json: z.boolean().default(false), color: z.boolean().default(true) })

/** What `sak-reconcile modules` says. */
export type ReferenceOptions = z.output<typeof ReferenceOptions> & { readonly name?: string }

const InventoryFlags = Options.pick({
  inventory: true,
  limit: true,
  var: true,
  user: true,
  become: true,
  privateKey: true,
  jump: true,
  json: true,
  color: true,
}).extend({ host: z.string().optional() })

/** What `sak-reconcile inventory` says. */
export type InventoryOptions = z.output<typeof InventoryFlags> & { readonly playbook?: string }

/** The command line's grammar. */
export function program(commands: Commands): Command {
  const root = withRunOptions(new Command('sak-reconcile'))
    .description('Brings hosts to the state that a playbook describes: plan, ask, apply, verify.')
    .version(version(), '-V, --version')
    .argument(
      '[playbook]',
      "a playbook's file, a package's export, or a built-in name (t3-small, t3-small-busy, t3-medium)",
    )
    .option('-n, --dry-run', 'plan only: show the diffs, touch nothing')
    .option('--check', 'the same as --dry-run')
    .option('--diff', 'accepted for habit: diffs are always shown')
    .option('--save-plan <file>', 'with --dry-run: keep the plan, for "sak-reconcile apply"')
    .enablePositionalOptions()
    .showHelpAfterError('(sak-reconcile --help lists the options)')
    .action(async (playbook: string | undefined, raw: unknown) => {
      await commands.reconcile({ ...toOptions(raw), ...(playbook !== undefined && { playbook }) })
    })
  withRunOptions(root.command('apply'))
    .description('Applies a saved plan exactly, or refuses.')
    .argument('<plan>', 'a file that --save-plan wrote')
    .option('--allow-deferred', 'also a plan with deferred tasks, whose steps nobody has seen')
    .action(async (file: string, raw: unknown) => {
      await commands.applyPlan(file, toOptions(raw))
    })
  withReportOptions(root.command('report'))
    .description('Shows the report of the last run, or a saved one, in any format.')
    .argument('[file]', 'a report that --json printed; "-" is stdin (default: that of the last run here)')
    .option('--playbook <x>', 'whose last run, where the config does not say it')
    .option('-i, --inventory <x>', 'as for the run whose report it is; may be repeated', append)
    .action(async (file: string | undefined, raw: unknown) => {
      const { playbook } = ReportFlags.parse(raw)
      await commands.report(file, { ...toOptions(raw), ...(playbook !== undefined && { playbook }) })
    })
  withDrift(root, commands)
  withRecord(root, commands)
  withInventory(root, commands)
  withSchedule(root, commands)
  withReference(root, commands)
  return root
}

/** What a command line for `drift` says, without doing it. Throws CommanderError where it is none. */
export function parseDrift(args: readonly string[]): DriftOptions {
  const command = withDriftOptions(new Command('drift'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  command.parse([...args], { from: 'user' })
  return toDriftOptions(command.args[0], command.opts())
}

function withDriftOptions(command: Command): Command {
  return withRunOptions(command)
    .description('Looks for drift and says what has changed since the last time: for cron. Changes nothing on a host.')
    .argument('[playbook]', 'as for a run')
    .option('--all', 'show also what was told before and is still there')
    .option('--jitter <time>', 'wait a random time of at most so long first (5m)', duration)
    .option('--deadline <time>', 'time for the whole run (default: 30m)', duration)
}

function toDriftOptions(playbook: string | undefined, raw: unknown): DriftOptions {
  return { ...toOptions(raw), ...DriftFlags.parse(raw), ...(playbook !== undefined && { playbook }) }
}

function withDrift(root: Command, commands: Commands): void {
  withDriftOptions(root.command('drift')).action(async (playbook: string | undefined, raw: unknown) => {
    await commands.drift(toDriftOptions(playbook, raw))
  })
  root
    .command('history')
    .description('What drifted, since when, who mended it, what comes and goes.')
    .argument('[playbook]', 'as for a run')
    .option('-i, --inventory <x>', 'as for the runs whose history it is; may be repeated', append)
    .option('--since <when>', 'only from then on: a day (2026-11-01) or a time back from now (7d)')
    .option('--host <pattern>', 'only of these hosts: a name, a glob, ~regex')
    .option('--task <pattern>', 'only of these tasks')
    .option('--json', 'for machines')
    .option('--no-color', 'no colours')
    .action(async (playbook: string | undefined, raw: unknown) => {
      await commands.history({ ...HistoryFlags.parse(raw), ...(playbook !== undefined && { playbook }) })
    })
}

function withRecord(root: Command, commands: Commands): void {
  withRunOptions(root.command('record'))
    .description('Records what hosts answer to checks, as cases for tests, with secrets masked. Changes nothing.')
    .argument('[playbook]', 'whose tasks; or a module, whose params -e gives')
    .option('--fixtures <folder>', 'where cases go: FOLDER/MODULE/CASE/case.json', 'fixtures')
    .option('--case <name>', 'the name of the case (default: that of the host)')
    .option('--playbook', 'write no cases but a playbook of what one host has today, to -o or stdout')
    .action(async (playbook: string | undefined, raw: unknown) => {
      const options = { ...toOptions(raw), ...RecordOptions.parse(raw) }
      await commands.record({ ...options, ...(playbook !== undefined && { playbook }) })
    })
}

function withInventory(root: Command, commands: Commands): void {
  withLoginOptions(withHostOptions(root.command('inventory')))
    .description('Hosts and groups; or of one host where each variable, param and part of its login comes from.')
    .argument('[playbook]', 'as for a run: whose params are shown')
    .option('--host <name>', 'all about this host')
    .option('--json', 'for machines')
    .option('--no-color', 'no colours')
    .action(async (playbook: string | undefined, raw: unknown) => {
      await commands.inventory({ ...InventoryFlags.parse(raw), ...(playbook !== undefined && { playbook }) })
    })
}

function withReference(root: Command, commands: Commands): void {
  root
    .command('modules')
    .description("The reference: all modules and playbooks, or one with its params; also of a file's or a package's.")
    .argument('[name]', 'a module or playbook (sysctl, t3-small, ./motd.ts, @acme/modules)')
    .option('--json', 'for machines')
    .option('--no-color', 'no colours')
    .action(async (name: string | undefined, raw: unknown) => {
      await commands.modules({ ...ReferenceOptions.parse(raw), ...(name !== undefined && { name }) })
    })
  root
    .command('schema')
    .description('A JSON Schema, for editors: of a module’s or playbook’s params, report, plan, inventory or config.')
    .argument('[name]', 'whose; without it, what there is')
    .action(async (name: string | undefined) => commands.schema(name))
}

function toOptions(raw: unknown): CliOptions {
  const options = Options.parse(raw)
  return { ...options, dryRun: options.dryRun || options.check, format: options.json ? 'json' : options.format }
}
