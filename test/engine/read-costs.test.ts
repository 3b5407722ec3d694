/** What a check and an apply cost a host, as counts: how long a process takes differs from host to host, how many there are does not. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Connection } from '../../src/core/connection.ts'
import { hostFrom } from '../../src/core/host.ts'
import { type Step, write } from '../../src/core/step.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { planHost } from '../../src/engine/plan-host.ts'
import { runTransaction } from '../../src/engine/transaction.ts'
import { note } from './notes.ts'
import { state } from './shell.ts'

// in a new namespace processes are numbered one after the other, so that the next one's number tells how many there were
const apart = ['--map-root-user', '--pid', '--fork', '--mount-proc']
const canCount = spawnSync('unshare', [...apart, 'true']).status === 0

/** This machine, by a shell of it; counts the processes that scripts start, that shell too. */
function countingHost(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sak-test-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [script, answer, next] = ['script', 'answer', 'next'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  let processes = 0
  let bytes = 0
  const connection: Connection = {
    run: async text => {
      bytes += text.replaceAll(t.testdirName, '/folder').length // this machine's paths count for nothing
      writeFileSync(script, text.replaceAll('/var/lib/sak-reconcile', state))
      const line = `dash <'${script}' >'${answer}'; sh -c 'echo $$ >${next}'`
      const { stderr } = spawnSync('unshare', [...apart, 'sh', '-c', line])
      processes += Number(readFileSync(next, 'utf8')) - 2
      return { code: 0, signal: null, stdout: readFileSync(answer), stderr }
    },
    hold: () => Promise.reject(new Error('nothing is held here')),
    close: async () => {},
  }
  const freshReader = () => batchReads(connection, { deadlineMs: 60_000 })
  return { connection, freshReader, processes: () => processes, bytes: () => bytes }
}

t.test('a check costs no process for a file', { skip: !canCount && 'no namespaces' }, async t => {
  const processes = async (count: number) => {
    const host = countingHost(t)
    const names = Array.from({ length: count }, (_, index) => String(index))
    const folder = t.testdir(Object.fromEntries(names.map(name => [name, `value ${name}`])))
    const tasks = names.map(name => note({ path: join(folder, name), content: `value ${name}` }, { label: name }))
    const { results } = await planHost(host, tasks, { allow: 'data' })
    t.ok(results.every(({ status }) => status === 'ok'))
    return host.processes()
  }
  const [one, hundred] = [await processes(1), await processes(100)]
  t.ok(one <= 4, `processes for one file: ${one}`)
  t.equal(hundred, one, 'as many for a hundred files')
})

t.test('a command costs a few processes more than itself', { skip: !canCount && 'no namespaces' }, async t => {
  const processes = async (count: number) => {
    const counting = countingHost(t)
    const host = hostFrom(counting.freshReader().ask)
    const ran = Array.from({ length: count }, (_, index) => host.command(['true', String(index)]))
    t.ok((await Promise.all(ran)).every(({ code }) => code === 0))
    return counting.processes()
  }
  const [one, eleven] = [await processes(1), await processes(11)]
  t.ok((eleven - one) / 10 <= 10, `processes for a further command: ${(eleven - one) / 10}`)
})

t.test(
  'a transaction costs little more than what it must wait for',
  { skip: !canCount && 'no namespaces' },
  async t => {
    t.teardown(() => rmSync(state, { recursive: true, force: true }))
    const costs = async (count: number) => {
      const host = countingHost(t)
      const names = Array.from({ length: count }, (_, index) => String(index))
      const folder = t.testdir(Object.fromEntries(names.map(name => [name, 'old'])))
      const file = (name: string): Step =>
        write({ kind: 'file', path: join(folder, name), content: 'new', mode: '0600' })
      const journal = { name: 'sak-test', tasks: ['test'] }
      t.same(await runTransaction(host.connection, names.map(file), journal), { kind: 'committed' })
      t.ok(names.every(name => readFileSync(join(folder, name), 'utf8') === 'new'))
      return { processes: host.processes(), bytes: host.bytes() }
    }
    const [one, eleven] = [await costs(1), await costs(11)]
    t.ok(one.processes <= 27, `processes for one file: ${one.processes}`)
    t.ok(one.bytes <= 11_300, `bytes for one file: ${one.bytes}`)
    const further = [(eleven.processes - one.processes) / 10, (eleven.bytes - one.bytes) / 10]
    t.ok((further[0] ?? 0) <= 16, `processes for a further file: ${further[0]}`)
    t.ok((further[1] ?? 0) <= 140, `bytes for a further file: ${further[1]}`)
  },
)
