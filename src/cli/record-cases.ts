import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSakError, SakError } from '../core/errors.ts'
import { isModule } from '../core/module.ts'
import { definePlaybook } from '../core/playbook.ts'
import type { Report } from '../core/report.ts'
import { printable } from '../core/terminal.ts'
import { loadNamed } from '../loading/modules.ts'
import { type RecordedCase, record } from '../record.ts'
import type { RunOptions } from '../run.ts'
import { interruptible } from './interrupt.ts'
import type { CliOptions, RecordOptions } from './options.ts'
import { runOptions } from './run-options.ts'
import { screen } from './screen.ts'

type Recording = CliOptions & RecordOptions

/** `record`: the answers of hosts to checks, as cases for tests. Answers the exit code. */
export async function recordCommand(cli: Recording): Promise<number> {
  const options = await recordingOf(cli)
  return interruptible(async signal => {
    const connect = { ...options.connect, signal }
    const { report, cases } = await record({ ...options, connect, signal })
    const codes = await Promise.all(cases.map(each => save(each, cli)))
    tellOfHosts(report)
    return report.exitCode === 0 && codes.every(Boolean) ? 0 : 4
  })
}

/** The tasks of a playbook, or of a module whose params `-e` gives. */
async function recordingOf(cli: Recording): Promise<RunOptions> {
  const [only, ...more] = cli.playbook === undefined ? [] : await loadNamed(cli.playbook, process.cwd())
  if (!isModule(only)) return (await runOptions({ ...cli, dryRun: true })).options
  if (more.length > 0) throw new SakError('usage', `${cli.playbook} exports several modules or playbooks`)
  const { playbook: _module, var: params = {}, ...rest } = cli
  const { options } = await runOptions({ ...rest, dryRun: true })
  const playbook = definePlaybook({ name: only.moduleName, tasks: () => [only.parse(params)] })
  return { ...options, playbook, vars: {} }
}

/** Writes a case, and says so. Answers whether it could. */
async function save({ host, module, label, made }: RecordedCase, cli: Recording): Promise<boolean> {
  const name = [cli.case ?? host, ...(label === module ? [] : [label])].join('-').replaceAll(/[^\w.-]+/g, '-')
  if (isSakError(made)) {
    say(`${host} ${label}: not recorded: ${printable(made.message)}`)
    return false
  }
  const path = join(cli.fixtures, module, name, 'case.json')
  if (existsSync(path)) {
    say(`${path} exists: it is left as it is (--case gives another name)`)
    return false
  }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(made.case, null, 2)}\n`)
  const { changes, blocked = [] } = made.case.expect
  const found = [...changes, ...blocked].join(', ') || 'in sync'
  const masked = made.masked === 0 ? '' : `, ${made.masked} secrets masked`
  const warning = made.isFaithful ? '' : ' (NOT what the host gave: look at it before you rely on it)'
  say(`${path}: ${found}${masked}${warning}`)
  return true
}

/** Which hosts could not be asked, and why. */
export function tellOfHosts({ hosts }: Report): void {
  for (const { name, error } of hosts) {
    if (error) process.stderr.write(`${name}: ${error.code}: ${printable(error.message)}\n`)
  }
}

const say = (line: string) => screen.print(process.stdout, `${line}\n`)
