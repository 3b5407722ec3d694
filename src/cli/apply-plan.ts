import { SakError } from '../core/errors.ts'
import { PlanFile } from '../core/plan-file.ts'
import { impacts } from '../core/step.ts'
import { savedJson } from '../loading/saved-json.ts'
import { apply } from '../run.ts'
import { interruptible } from './interrupt.ts'
import type { CliOptions } from './options.ts'
import { recordedApply } from './record.ts'
import { remember, rememberReport } from './remember.ts'
import { reportTo } from './report-output.ts'
import { runOptions } from './run-options.ts'

/**
 * `apply PLAN.json`: no question, because the plan is the answer. What the plan was made from counts, unless the command line
 * names another inventory or login. Answers the exit code.
 */
export async function applyPlanCommand(path: string, cli: CliOptions): Promise<number> {
  const decided = Object.entries({ '-l': cli.limit, '-t': cli.tags, '--skip-tags': cli.skipTags, '-e': cli.var })
  const [other] = decided.find(([, value]) => value !== undefined) ?? []
  if (other !== undefined) {
    throw new SakError('usage', `a saved plan is applied as it is: ${other} cannot change it`, {
      hint: 'make a new plan with --dry-run --save-plan FILE',
    })
  }
  const file = await savedJson(path, PlanFile, { what: 'plan', hint: 'plans are made with --dry-run --save-plan FILE' })
  const { playbook, inventory, vars, tags, skipTags, allow, allowOverBudget, login } = file.source
  const {
    options,
    playbook: name,
    ...history
  } = await runOptions({
    ...login,
    ...cli,
    dryRun: false,
    var: vars,
    ...(playbook !== undefined && { playbook }),
    ...(inventory && !cli.inventory && { inventory }),
    ...(tags && { tags }),
    ...(skipTags && { skipTags }),
    ...(allowOverBudget && { allowOverBudget }),
    ...(allow && { allow: cli.allow ?? impacts.find(impact => impact === allow) }),
  })
  const output = reportTo({ ...cli, yes: true })
  return interruptible(async signal => {
    const run = { ...options, connect: { ...options.connect, signal }, signal, onEvent: output.onEvent }
    const report = await recordedApply({ ...history, jobs: run, signal }, async ({ begin, onIntents }) => {
      await begin()
      return apply(file, { ...run, onIntents, allowDeferred: cli.allowDeferred })
    })
    await output.finish()
    await remember(name, report)
    await rememberReport(history, report)
    return report.exitCode
  })
}
