import { CommanderError } from 'commander'
import { isSakError } from '../core/errors.ts'
import { nameSecrets } from '../core/secret.ts'
import { printable } from '../core/terminal.ts'
import { type CliOptions, program } from './options.ts'
import { screen } from './screen.ts'

/** Runs the command line, and answers the exit code: see README.md for what each means. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const command = program({
    reconcile: async options => {
      exitCode = await withTrace(options, async () => {
        const { reconcileCommand } = await import('./reconcile.ts')
        return reconcileCommand(options)
      })
    },
    applyPlan: async (file, options) => {
      exitCode = await withTrace(options, async () => {
        const { applyPlanCommand } = await import('./apply-plan.ts')
        return applyPlanCommand(file, options)
      })
    },
    report: async (file, options) => {
      const { reportCommand } = await import('./report.ts')
      await reportCommand(file, options)
    },
    drift: async options => {
      const { driftCommand } = await import('./drift.ts')
      exitCode = await driftCommand(options)
    },
    history: async options => {
      const { historyCommand } = await import('./history.ts')
      await historyCommand(options)
    },
    record: async options => {
      const { recordCommand } = await import('./record-cases.ts')
      const { adoptCommand } = await import('./adopt.ts')
      exitCode = await (options.asPlaybook ? adoptCommand : recordCommand)(options)
    },
    schedule: async (what, options) => {
      const { installSchedule, removeSchedule, scheduleStatus } = await import('./schedule/command.ts')
      const act = { install: installSchedule, remove: removeSchedule, status: scheduleStatus }[what]
      exitCode = await act(options)
    },
    modules: async options => {
      const { modulesCommand } = await import('./reference.ts')
      await modulesCommand(options)
    },
    schema: async name => {
      const { schemaCommand } = await import('./reference.ts')
      await schemaCommand(name)
    },
    inventory: async options => {
      const { inventoryCommand } = await import('./inventory.ts')
      await inventoryCommand(options)
    },
  })
  for (const each of [command, ...command.commands]) each.exitOverride()
  try {
    await command.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    screen.draw('')
    process.stderr.write(`${describe(error)}\n`)
    return 1
  }
}

async function withTrace({ trace }: CliOptions, act: () => Promise<number>): Promise<number> {
  if (trace === undefined) return act()
  const { traceTo } = await import('./trace-file.ts')
  const finish = traceTo(trace)
  try {
    return await act()
  } finally {
    await finish()
  }
}

function describe(error: unknown): string {
  if (!isSakError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `internal error: ${text}\nThis is a bug: please report it.`
  }
  const hint = error.hint === undefined ? '' : `\n  hint: ${printable(error.hint)}`
  return `${error.code}: ${printable(nameSecrets(error.message))}${hint}`
}
