import { writeFile } from 'node:fs/promises'
import { adopt } from '../adopt.ts'
import { SakError } from '../core/errors.ts'
import { builtInModules } from '../loading/modules.ts'
import { interruptible } from './interrupt.ts'
import type { CliOptions } from './options.ts'
import { tellOfHosts } from './record-cases.ts'
import { runOptions } from './run-options.ts'
import { screen } from './screen.ts'

/** `record --playbook`: a playbook of what a host has today. Answers the exit code. */
export async function adoptCommand(cli: CliOptions): Promise<number> {
  if (cli.playbook !== undefined) {
    const hint = 'leave it out: all built-in modules are asked what the host has'
    throw new SakError('usage', `--playbook writes a playbook, and takes none ("${cli.playbook}")`, { hint })
  }
  const { options } = await runOptions({ ...cli, dryRun: true })
  const modules = [...(await builtInModules()).values()]
  return interruptible(async signal => {
    const connect = { ...options.connect, signal }
    const { report, playbook } = await adopt({ ...options, connect, signal }, modules)
    tellOfHosts(report)
    if (playbook === undefined) return report.exitCode || 4
    await save(playbook.code, cli.output)
    const next = playbook.tasks === 0 ? ': nothing of the host is as a module of ours would keep it' : ' in sync'
    screen.print(
      process.stderr,
      `${playbook.tasks} task${playbook.tasks === 1 ? '' : 's'}${next}; what is not adopted stands in comments\n`,
    )
    return report.exitCode
  })
}

async function save(code: string, path: string | undefined): Promise<void> {
  if (path === undefined) return screen.print(process.stdout, code)
  try {
    await writeFile(path, code, { flag: 'wx' })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('usage', `-o ${path}: ${why}`, { hint: 'name a new file: none is overwritten', cause })
  }
}
