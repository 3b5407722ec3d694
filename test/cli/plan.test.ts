import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PlanFile } from '../../src/core/plan-file.ts'
import { commandLine, notes, sak } from './sak.ts'

/** A folder with a playbook, and a plan of it. */
async function planned(test: Test, ...args: string[]) {
  const { cwd, run } = await commandLine(test, { 'notes.ts': notes, 'plan.json': 'an old one' })
  await chmod(join(cwd, 'plan.json'), 0o644)
  const made = await run(
    './notes.ts',
    '-n',
    '--save-plan',
    'plan.json',
    ...['-i', 'localhost,', '-e', `folder=${cwd}`],
    ...args,
  )
  const plan = PlanFile.parse(JSON.parse(await readFile(join(cwd, 'plan.json'), 'utf8')))
  const apply = (...more: string[]) => sak(['apply', 'plan.json', ...more], { cwd })
  return { cwd, run, made, plan, apply }
}

t.test('a plan is saved, applied as it is, and only once', async t => {
  const { cwd, made, plan, apply } = await planned(t, '-u', 'deploy', '-b', '--host-key-checking', 'accept-new')
  t.match(made, { code: 2, stdout: /would write/ })
  t.equal((await stat(join(cwd, 'plan.json'))).mode & 0o777, 0o600, 'for nobody else to read')
  t.same(plan.source.login, { user: 'deploy', become: true, hostKeyChecking: 'accept-new' }, 'it knows the login')
  t.match(await apply(), { code: 0, stdout: /✓ changed {2}first[\s\S]*2 changed/ })
  t.equal(await readFile(join(cwd, 'a'), 'utf8'), 'hello\n')
  t.match(await apply(), {
    code: 1,
    stdout: /stale-plan: .*first, second[\s\S]*first: was drift, is ok[\s\S]*nothing was applied/,
  })
})

t.test('a plan is refused where the host has changed since', async t => {
  const { cwd, apply } = await planned(t)
  await writeFile(join(cwd, 'a'), 'by hand')
  t.match(await apply(), {
    code: 1,
    stdout:
      /stale-plan: .*: first\n[\s\S]*\| first: saved \S+\/a: found was nothing, is "by hand"\n[\s\S]*make a new plan/,
  })
  t.equal(await readFile(join(cwd, 'a'), 'utf8'), 'by hand')
})

t.test('nothing changes a plan, and what is none is no plan', async t => {
  const { cwd, run, plan, apply } = await planned(t)
  for (const option of [
    ['-e', 'text=other'],
    ['-t', 'one'],
    ['--skip-tags', 'one'],
    ['-l', 'localhost'],
  ]) {
    t.match(await run('apply', 'plan.json', ...option), { code: 1, stderr: /applied as it is/ }, option[0] ?? '')
  }
  const write = (value: unknown) => writeFile(join(cwd, 'plan.json'), JSON.stringify(value))
  await write({ ...plan, version: '0.0.1' })
  t.match(await apply(), { code: 1, stderr: /made by version 0\.0\.1/ })
  const [host] = plan.hosts
  await write({ ...plan, hosts: [{ ...host, machineId: 'another' }] })
  t.match(await apply(), { code: 1, stdout: /another machine/ })
  const deferred = host?.tasks.map(task => ({ ...task, status: 'deferred' }))
  await write({ ...plan, hosts: [{ ...host, tasks: deferred }] })
  t.match(await apply(), { code: 1, stderr: /deferred[\s\S]*--allow-deferred/ })
  await write({ hello: 'world' })
  t.match(await run('apply', 'plan.json'), { code: 1, stderr: /is no plan/ })
  t.match(await run('apply', 'nowhere.json'), { code: 1, stderr: /cannot be read/ })
  t.match(await run('./notes.ts', '--save-plan', 'x.json', '-y', '-i', 'localhost,', '-e', `folder=${cwd}`), {
    code: 1,
    stderr: /--save-plan goes with --dry-run/,
  })
})

t.test('what cannot be written is said before a host is changed', async t => {
  const { cwd, run } = await planned(t)
  const base = ['./notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`]
  const refused = await sak([...base, '-y', '-o', 'no/where.json'], { cwd })
  t.match(refused, { code: 1, stderr: /usage: -o: no\/where\.json cannot be written[\s\S]*nothing was done/ })
  await t.rejects(stat(join(cwd, 'a')), 'nothing was applied')
  t.match(await run(...base, '-n', '--save-plan', 'no/where.json'), {
    code: 1,
    stderr: /usage: --save-plan: no\/where/,
  })
})
