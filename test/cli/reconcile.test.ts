import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Report } from '../../src/core/report.ts'
import { commandLine, notes, sak } from './sak.ts'

/** A folder with a playbook: `look` runs in this process, `apply` as a program of its own. */
async function project(test: Test) {
  const { cwd, run } = await commandLine(test, { 'notes.ts': notes })
  const base = ['./notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`]
  const look = (...args: string[]) => run(...base, '-n', ...args)
  const apply = (...args: string[]) => sak([...base, ...args], { cwd })
  return { cwd, run, look, apply }
}

t.test('look, apply, look again', async t => {
  const { cwd, look, apply } = await project(t)
  const first = await look()
  t.match(first, { code: 2, stderr: '' })
  t.match(
    first.stdout,
    /localhost {2}drift[\s\S]*~ drift {4}first[\s\S]*\+hello[\s\S]*would write[\s\S]*Nothing was changed\./,
  )
  t.same(readdirSync(cwd), ['notes.ts'], 'nothing was written')

  t.match(await apply(), { code: 1, stdout: '', stderr: /no terminal to ask on[\s\S]*--yes/ })
  t.same(readdirSync(cwd), ['notes.ts'])

  t.match(await apply('--yes'), { code: 0, stdout: /✓ changed {2}first[\s\S]*2 changed/ })
  t.equal(await readFile(join(cwd, 'a'), 'utf8'), 'hello\n')

  t.match(await look('--diff'), { code: 0, stdout: /✓ ok[\s\S]*2 ok/ })
  t.match(await look('-q'), { code: 0, stdout: '', stderr: '' }, 'quiet where there is nothing to say')
})

t.test('the exit code says what was found', async t => {
  const { run, look } = await project(t)
  const both = await look('-e', 'isBlocked=true')
  t.match(both, { code: 6, stdout: /! blocked {2}second[\s\S]*override: somebody else rules it[\s\S]*hint ask them/ })
  t.notMatch(both.stdout, '\u001b', "a host's escapes never reach the terminal")
  t.match(await look('-e', 'isBlocked=true', '-t', 'two'), { code: 4 })
  const pending = await look('-e', 'step=:', '-t', 'one', '--allow', 'reload')
  t.match(pending, { code: 2, stdout: /pending {2}first {2}\(restart\)/ })
  const unreachable = await run('t3-small', '-n', '-i', '127.0.0.1:1,', '--host-key-checking', 'off')
  t.match(unreachable, { code: 4, stdout: /127\.0\.0\.1 {2}unreachable/ })
})

t.test('what fails is undone and shown', async t => {
  const { cwd, apply } = await project(t)
  const failed = await apply('-y', '-e', "step=printf 'no such luck \\033]0;evil\\007'; exit 9")
  t.match(failed, {
    code: 4,
    stdout: /✗ failed {3}first[\s\S]*exit 9 \(undone\)[\s\S]*\| no such luck\n[\s\S]*- skipped {2}second/,
  })
  t.notMatch(failed.stdout + failed.stderr, '\u001b')
  t.same(readdirSync(cwd), ['notes.ts'])
})

t.test('JSON is the report and nothing else', async t => {
  const { cwd, look, apply } = await project(t)
  const report = Report.parse(JSON.parse((await look('--json')).stdout))
  t.match(report, { mode: 'dry-run', exitCode: 2, summary: { hosts: { drift: 1 }, tasks: { drift: 2 } } })
  t.match(report.hosts[0]?.tasks[0], {
    module: 'note',
    label: 'first',
    changes: [{ key: 'saved', path: join(cwd, 'a'), before: null, after: 'hello\n', diff: /\+hello/ }],
    steps: [{ kind: 'write', impact: 'none' }],
    error: null,
  })
  const applied = await apply('-y', '--format', 'json', '-o', join(cwd, 'report.json'))
  t.equal(applied.stdout, '')
  const written = Report.parse(JSON.parse(await readFile(join(cwd, 'report.json'), 'utf8')))
  t.match(written, { mode: 'apply', exitCode: 0, summary: { tasks: { changed: 2 } } })
})

t.test('some tasks, some hosts', async t => {
  const { cwd, look, run } = await project(t)
  const labels = async (...args: string[]) => {
    const { stdout } = await look('--json', ...args)
    return Report.parse(JSON.parse(stdout)).hosts[0]?.tasks.map(task => task.label)
  }
  t.same(await labels('-t', 'one'), ['first'])
  t.same(await labels('--tags', 'second,one'), ['first', 'second'])
  t.same(await labels('--skip-tags', 'one'), ['second'])
  const hosts = { a: { connection: 'local' }, b: { connection: 'local' } }
  await writeFile(join(cwd, 'hosts.json'), JSON.stringify({ hosts }))
  const limited = await run('./notes.ts', '-n', '-i', 'hosts.json', '-l', 'a', '-e', `folder=${cwd}`, '--json')
  t.same(
    Report.parse(JSON.parse(limited.stdout)).hosts.map(host => host.name),
    ['a'],
  )
})
