import { SakError } from '../core/errors.ts'
import type { Report } from '../core/report.ts'
import { refuseUnwritable, writeOwnFile } from '../loading/own-file.ts'
import { applyQuestion } from '../reports/question.ts'
import { plan, reconcile } from '../run.ts'
import { interruptible } from './interrupt.ts'
import type { CliOptions } from './options.ts'
import { confirm } from './questions.ts'
import { remember } from './remember.ts'
import { reportTo } from './report-output.ts'
import { runOptions } from './run-options.ts'

/** The default command: plan, ask, apply, verify; with --dry-run only plan. Answers the exit code. */
export async function reconcileCommand(cli: CliOptions): Promise<number> {
  if (cli.savePlan !== undefined && !cli.dryRun) {
    throw new SakError('usage', '--save-plan goes with --dry-run', { hint: 'then: sak-reconcile apply PLAN.json' })
  }
  if (cli.savePlan !== undefined) await refuseUnwritable(cli.savePlan, '--save-plan')
  const { options, source, playbook } = await runOptions(cli)
  if (!cli.dryRun) refuseWithoutTerminal(cli)
  const output = reportTo(cli)
  return interruptible(async signal => {
    const run = { ...options, connect: { ...options.connect, signal }, signal, onEvent: output.onEvent }
    const ask = !cli.dryRun && !cli.yes && { confirm: (planned: Report) => confirm(applyQuestion(planned)) }
    const report = cli.savePlan === undefined ? await reconcile({ ...run, ...ask }) : await savePlan(cli.savePlan)
    await output.finish()
    if (options.inventory) await remember(playbook, report)
    return report.exitCode

    async function savePlan(file: string): Promise<Report> {
      const planned = await plan(run, source)
      await writeOwnFile(file, `${JSON.stringify(planned.plan, null, 2)}\n`)
      return planned.report
    }
  })
}

/** Nothing is changed unseen: without a terminal to ask on, only --yes applies. */
export function refuseWithoutTerminal({ yes }: CliOptions): void {
  if (yes || (process.stdin.isTTY && process.stderr.isTTY)) return
  throw new SakError('usage', 'there is no terminal to ask on before anything is changed', {
    hint: 'look first with --dry-run, then apply with --yes',
  })
}
