import { SakError } from '../core/errors.ts'
import type { Report } from '../core/report.ts'
import { refuseUnwritable, writeOwnFile } from '../loading/own-file.ts'
import type { Recording } from '../recorded.ts'
import { applyQuestion } from '../reports/question.ts'
import { plan, reconcile } from '../run.ts'
import { interruptible } from './interrupt.ts'
import type { CliOptions } from './options.ts'
import { confirm } from './questions.ts'
import { recordedApply } from './record.ts'
import { remember, rememberReport } from './remember.ts'
import { reportTo } from './report-output.ts'
import { runOptions } from './run-options.ts'

/** The default command: plan, ask, apply, verify; with --dry-run only plan. Answers the exit code. */
export async function reconcileCommand(cli: CliOptions): Promise<number> {
  if (cli.savePlan !== undefined && !cli.dryRun) {
    throw new SakError('usage', '--save-plan goes with --dry-run', { hint: 'then: sak-reconcile apply PLAN.json' })
  }
  if (cli.savePlan !== undefined) await refuseUnwritable(cli.savePlan, '--save-plan')
  const { options, source, playbook, ...history } = await runOptions(cli)
  if (!cli.dryRun) refuseWithoutTerminal(cli)
  const output = reportTo(cli)
  return interruptible(async signal => {
    const run = { ...options, connect: { ...options.connect, signal }, signal, onEvent: output.onEvent }
    const report = await reported()
    await output.finish()
    if (options.inventory) await remember(playbook, report)
    // a look where nothing is configured writes nothing
    if (options.inventory || !cli.dryRun) await rememberReport(history, report)
    return report.exitCode

    async function reported(): Promise<Report> {
      if (cli.savePlan !== undefined) return savePlan(cli.savePlan)
      if (cli.dryRun) return reconcile(run)
      const ask =
        ({ begin }: Recording) =>
        async (planned: Report) => {
          const isAgreed = await confirm(applyQuestion(planned))
          if (isAgreed) await begin()
          return isAgreed
        }
      return recordedApply({ ...history, jobs: run, signal }, async recording => {
        const { begin, onIntents } = recording
        if (!cli.yes) return reconcile({ ...run, onIntents, confirm: ask(recording) })
        await begin()
        return reconcile({ ...run, onIntents })
      })
    }

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
