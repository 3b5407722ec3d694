import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commandLine, notes } from './sak.ts'

/** A folder with a playbook, to look at. */
async function project(test: Test) {
  const { cwd, run } = await commandLine(test, { 'notes.ts': notes })
  const look = (...args: string[]) => run('./notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`, '-n', ...args)
  return { cwd, run, look }
}

t.test('reports in other formats: streamed, several at once, and of a saved report', async t => {
  const { cwd, run, look } = await project(t)
  const events = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  const types = ['start', 'host-start', 'host', 'end']
  t.same(
    events((await look('--format', 'ndjson')).stdout).map(({ type }) => type),
    types,
  )
  const several = await look('--report', 'json:report.json', '--report', 'ndjson:events')
  t.match(several, { code: 2, stdout: /^localhost {2}drift/ })
  t.same(
    events(await readFile(join(cwd, 'events'), 'utf8')).map(({ type }) => type),
    types,
  )
  const again = await run('report', 'report.json')
  t.equal(again.code, 0, 'it is not the run')
  t.equal(again.stdout, several.stdout, 'and shows what the run did')
  const json = await readFile(join(cwd, 'report.json'), 'utf8')
  t.same(JSON.parse((await run('report', 'report.json', '--json')).stdout), JSON.parse(json))
  t.match(JSON.parse(json), { playbook: 'notes' })
})

t.test('what is no report, and what is no format', async t => {
  const { run } = await project(t)
  t.match(await run('report', 'nowhere.json'), { code: 1, stderr: /^usage: nowhere\.json cannot be read/ })
  t.match(await run('report', 'notes.ts'), {
    code: 1,
    stderr: /notes\.ts is not JSON\n {2}hint: reports are saved with/,
  })
  t.match(await run('-n', '--report', 'pdf:x'), { code: 1, stderr: /expected FORMAT:FILE, with one of text, json/ })
  t.match(await run('-n', '--report', 'json:'), { code: 1, stderr: /expected FORMAT:FILE/ })
  t.match(await run('-n', '--report', 'json:no/such/x'), { code: 1, stderr: /--report: no\/such\/x cannot be written/ })
})

t.test('metrics for node_exporter: readable for it, and the last success stays', async t => {
  const { cwd, look } = await project(t)
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  const metrics = join(cwd, 'sak.prom')
  const success = () => /^sak_reconcile_last_success_timestamp_seconds.*$/m.exec(readFileSync(metrics, 'utf8'))?.[0]
  t.match(await look('--format', 'prometheus', '-o', metrics), { code: 2, stdout: '' })
  t.equal(statSync(metrics).mode & 0o777, 0o644)
  const first = success()
  t.match(first, /\{playbook="notes"\} \d/)
  t.match(await look('-e', 'isBlocked=true', '--report', `prometheus:${metrics}`), { code: 6 })
  t.equal(success(), first)
  t.match(readFileSync(metrics, 'utf8'), 'sak_reconcile_run_exit_code{playbook="notes"} 6')
})

t.test('in a workflow of GitHub: annotations, and a table on the page of the run', async t => {
  const { cwd, look } = await project(t)
  const page = join(cwd, 'page.md')
  await writeFile(page, 'of the step before\n')
  process.env.GITHUB_STEP_SUMMARY = page
  t.teardown(() => {
    delete process.env.GITHUB_STEP_SUMMARY
  })
  t.match(await look(), { code: 2 })
  t.equal(await readFile(page, 'utf8'), 'of the step before\n', 'only where it is asked for')
  t.match(await look('--format', 'github'), { code: 2, stdout: /^::warning title=localhost%3A first::drift: saved/ })
  t.match(
    await readFile(page, 'utf8'),
    /^of the step before\n### sak-reconcile notes[\s\S]*\| localhost \| first \| drift/,
  )
})

t.test('report without a file is that of the last run, with what the history tells', async t => {
  const { run, look, cwd } = await project(t)
  process.env.XDG_STATE_HOME = join(cwd, 'state')
  t.match(await run('report', './notes.ts'), { code: 1, stderr: /notes\.ts is not JSON/ })
  const whose = ['--playbook', './notes.ts', '-i', 'localhost,']
  t.match(await run('report', ...whose), {
    code: 1,
    stderr: /^usage: there was no run of this playbook yet\n {2}hint: /,
  })
  t.match(await look('--json'), { code: 2 })
  t.match(await run('report', ...whose), { code: 0, stdout: /~ drift {4}first[\s\S]*2 drift/ })
  t.match(await run('drift', './notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`), { code: 2 })
  t.match(await run('report', ...whose, '--json'), { code: 0, stdout: /"timeline": \[\s+\{\s+"host": "localhost"/ })
  t.match(await run('report', ...whose, '--format', 'html'), { code: 0, stdout: /Timeline/ })
  t.match(await run('report', 'x.json', ...whose), { code: 1, stderr: /leave them out, or the file/ })
  const [name = ''] = readdirSync(join(cwd, 'state/sak-reconcile')).filter(each => each.startsWith('report-'))
  const path = join(cwd, 'state/sak-reconcile', name)
  t.equal(statSync(path).mode & 0o777, 0o600)
  await writeFile(path, '{"schema":"sak-reconcile/report@9"}')
  t.match(await run('report', ...whose), {
    code: 1,
    stderr: /is no report of this version: [\s\S]*hint: run it once more/,
  })
})
