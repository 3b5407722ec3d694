import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { quoteAll } from '../../src/core/quote.ts'
import { Report } from '../../src/core/report.ts'
import { argv, commandLine, emptyFolder, nobody, notes, type SakOptions, sak, start } from './sak.ts'

async function project(test: Test) {
  const cwd = await emptyFolder(test)
  await writeFile(join(cwd, 'notes.ts'), notes)
  return { cwd, base: ['./notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`] }
}

/** Runs the command line on a terminal, and types the keys once the question is asked. */
async function onTerminal(args: readonly string[], keys: string, options: SakOptions) {
  const line = quoteAll([...argv, ...args])
  const { child, ended } = start(['script', '-qefc', line, '/dev/null'], options)
  let seen = ''
  let isTyped = false
  child.stdout.on('data', chunk => {
    seen += String(chunk)
    if (isTyped || !seen.includes('[y/N]')) return
    isTyped = true
    child.stdin.write(keys)
  })
  return ended
}

t.test('a person sees the plan, is asked, and only yes applies', async t => {
  const { cwd, base } = await project(t)
  const [no, nothing, end, interrupt] = await Promise.all([
    onTerminal(base, 'n\r', { cwd, env: { TERM: 'xterm' } }),
    onTerminal(base, '\r', { cwd }),
    onTerminal(base, '\u0004', { cwd }),
    onTerminal(base, '\u0003', { cwd }),
  ])
  const asked =
    /\+hello[\s\S]*Apply 2 tasks on 1 host\? Nothing is restarted or reloaded\. \[y\/N\][\s\S]*declined: nothing was applied/
  t.match(no, { code: 1, stdout: asked })
  t.match(no.stdout, '\u001b[32m', 'in colour')
  t.match(nothing, { code: 1, stdout: /declined/ }, 'nothing means no')
  t.match(end, { code: 1, stdout: /declined/ }, 'Ctrl-D')
  t.match(interrupt, { code: 130, stdout: /nothing was applied/ }, 'Ctrl-C')
  t.same(readdirSync(cwd), ['notes.ts'])

  const yes = await onTerminal(base, 'y\r', { cwd, env: { TERM: 'dumb' } })
  t.match(yes, { code: 0, stdout: /Apply 2 tasks[\s\S]*localhost: applying first[\s\S]*2 changed/ })
  t.notMatch(yes.stdout.replaceAll(/[\s\S]*\[y\/N\]/g, ''), '\u001b[3', 'a dumb terminal gets no colours')
  t.equal(yes.stdout.match(/\+hello/g)?.length, 2, 'what was seen in the plan is not shown twice')
})

t.test('a person sees the plan also where the report goes elsewhere', async t => {
  const { cwd, base } = await project(t)
  const json = await onTerminal([...base, '--json', '-o', 'report.json'], 'y\r', { cwd })
  t.match(json, { code: 0, stdout: /\+hello[\s\S]*Apply 2 tasks/ })
  t.match(Report.parse(JSON.parse(await readFile(join(cwd, 'report.json'), 'utf8'))), { mode: 'apply', exitCode: 0 })
})

t.test('colours are for terminals, unless somebody says otherwise', async t => {
  const { cwd, run } = await commandLine(t, { 'notes.ts': notes })
  const isColoured = async (env: Readonly<Record<string, string>>, ...args: string[]) => {
    Object.assign(process.env, { NO_COLOR: '', FORCE_COLOR: '0', ...env })
    const { stdout } = await run('./notes.ts', '-n', '-i', 'localhost,', '-e', `folder=${cwd}`, ...args)
    return stdout.includes('\u001b[')
  }
  const { NO_COLOR, FORCE_COLOR } = process.env
  t.teardown(() => Object.assign(process.env, { NO_COLOR: NO_COLOR ?? '', FORCE_COLOR: FORCE_COLOR ?? '0' }))
  t.equal(await isColoured({ FORCE_COLOR: '1' }), true)
  t.equal(await isColoured({}), false)
  t.equal(await isColoured({ FORCE_COLOR: '1', NO_COLOR: '1' }), false)
  t.equal(await isColoured({ FORCE_COLOR: '1' }, '--no-color'), false)
})

t.test('Ctrl-C while steps run: they end, nothing more is begun', async t => {
  const { cwd, base } = await project(t)
  const { child, ended } = start([...argv, ...base, '-y', '-e', `step=touch ${cwd}/begun; sleep 3`], { cwd })
  child.stdin.end()
  while (!existsSync(join(cwd, 'begun')) && child.exitCode === null) await sleep(100)
  child.kill('SIGINT')
  t.match(await ended, { code: 130, stdout: /- skipped {2}second/, stderr: /stopping: / })
  t.same(readdirSync(cwd).sort(), ['a', 'begun', 'notes.ts'])
})

t.test('whoever stops reading does not stop the run', async t => {
  const { cwd, base } = await project(t)
  const line = `${quoteAll([...argv, ...base, '-y'])} | true; echo "exit \${PIPESTATUS[0]}"`
  const { child, ended } = start(['bash', '-c', line], { cwd })
  child.stdin.end()
  t.match(await ended, { code: 0, stdout: 'exit 0\n', stderr: '' })
  t.same(readdirSync(cwd).sort(), ['a', 'b', 'notes.ts'])
})

t.test('anybody may look at this machine with nothing configured, and nothing is written', async t => {
  const cwd = await emptyFolder(t)
  await mkdir(join(cwd, 'home'))
  await chmod(join(cwd, 'home'), 0o777)
  const options = { cwd, uid: nobody, env: { HOME: join(cwd, 'home') } }
  const [text, json] = await Promise.all([sak(['--dry-run'], options), sak(['--dry-run', '--json'], options)])
  const report = Report.parse(JSON.parse(json.stdout))
  t.match(report, { mode: 'dry-run', exitCode: json.code, hosts: [{ name: 'localhost', error: null }] })
  t.equal(report.hosts[0]?.tasks.length, 7)
  t.ok((report.hosts[0]?.roundTrips ?? 9) <= 2)
  t.match(text, { code: json.code, stderr: '', stdout: /Nothing was changed\.\n$/ })
  const hints = text.stdout.match(/hint \d+ tasks? needs? root/g)?.length ?? 0
  t.equal(hints, text.stdout.includes('needs-root') ? 1 : 0, 'said once')
  t.same(readdirSync(join(cwd, 'home')), [])
})
