import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Report } from '../../src/core/report.ts'
import { commandLine, sak } from './sak.ts'

/** A playbook of notes, whose first lets somebody use the memory that the param says. */
const source = `
import { defineModule, definePlaybook, write } from 'sak-reconcile'
import { z } from 'zod'

const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({ path: z.string(), MiB: z.number() }),
  impact: 'none',
  owns: ({ path }) => [path],
  footprint: ({ MiB }, { cores }) => MiB > 0 ? { MiB, what: 'as told, on ' + cores + ' cores' } : undefined,
  check: async (host, { path }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: { kind: 'file', path, content: 'x' } },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})

export default definePlaybook({
  name: 'notes',
  params: z.strictObject({ folder: z.string(), MiB: z.number() }),
  tasks: ({ folder, MiB }) => [
    note({ path: folder + '/big', MiB }, { label: 'big' }),
    note({ path: folder + '/small', MiB: 0 }, { label: 'small' }),
  ],
})
`
const tooMuch = 'MiB=100000000'

async function project(t: Test) {
  const { cwd, run } = await commandLine(t, { 'notes.ts': source })
  const base = ['./notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`, '-e']
  const look = (MiB: string, ...args: string[]) => run(...base, MiB, '-n', ...args)
  const apply = (MiB: string, ...args: string[]) => sak([...base, MiB, '-y', ...args], { cwd })
  return { cwd, look, apply }
}

t.test('what fits is a line', async t => {
  const { look } = await project(t)
  const { stdout, code } = await look('MiB=1')
  t.equal(code, 2)
  t.match(stdout, /\n {2}memory {2}351 of \d+ MiB planned \(\d+%\) {2}[█░]{30}\n/)
  t.notMatch((await look('MiB=1', '-q')).stdout, /memory/)
  t.match((await look('MiB=1', '-v')).stdout, /big +1 .*as told, on \d+ cores\n[\s\S]*the host has/, 'or a table')
  t.notMatch((await look('MiB=0')).stdout, /memory/, 'where no task says what it takes there is no sum')
})

t.test('what does not fit is shown as a table, and nothing is applied', async t => {
  const { cwd, look, apply } = await project(t)
  const planned = await look(tooMuch)
  t.equal(planned.code, 4)
  t.match(planned.stdout, /! blocked {2}big +over-budget: 100000350 MiB of memory are planned[\s\S]*! blocked {2}small/)
  t.match(planned.stdout, /memory {2}100000350 of \d+ MiB planned[\s\S]*big +100000000 +█{30}[\s\S]*hint save memory/)
  t.equal(planned.stdout.split('--allow-over-budget').length, 2, 'what to do is said once')
  t.match(await apply(tooMuch), { code: 4, stdout: /blocked/ })
  t.match(await apply(tooMuch, '-t', 'small'), { code: 4 }, 'not even a task that takes none')
  t.same(readdirSync(cwd), ['notes.ts'])
})

t.test('unless that was asked for, and then also by a saved plan', async t => {
  const { cwd, look, apply } = await project(t)
  t.match(await look(tooMuch, '--allow-over-budget', '--save-plan', 'plan.json'), { code: 2, stdout: /over budget/ })
  t.match(await sak(['apply', 'plan.json'], { cwd }), { code: 0 })
  t.equal(await readFile(join(cwd, 'big'), 'utf8'), 'x')
  const { code, stdout } = await apply(tooMuch, '--json')
  t.equal(code, 0, 'what is in sync is not refused')
  const budget = Report.parse(JSON.parse(stdout)).hosts[0]?.budget
  t.match(budget, {
    plannedMiB: 100000350,
    parts: [
      { task: 'big', MiB: 100000000 },
      { task: 'system', MiB: 350 },
    ],
  })
})
