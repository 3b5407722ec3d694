import t from 'tap'
import { Report } from '../../src/core/report.ts'
import { commandLine } from './sak.ts'

const source = `
import { defineModule, definePlaybook, tasks } from 'sak-reconcile'
import { z } from 'zod'

const loud = defineModule({
  name: 'loud',
  description: 'Advises.',
  params: z.strictObject({ level: z.number() }),
  impact: 'none',
  owns: () => [],
  advice: [
    {
      id: 'too-loud',
      source: 'a manual',
      check: ({ level }, { facts, tasksOf }) => {
        const others = tasksOf('loud', z.object({ level: z.number() }))
        const sum = others.reduce((all, { params }) => all + params.level, level)
        if (level < 10 || facts.cores < 1) return []
        return [{ message: level + ' of ' + sum + ' is too loud', suggestion: 'level: 9' }]
      },
    },
    { id: 'breaks', source: 'x', check: ({ level }) => JSON.parse(level === 66 ? '{' : '[]') },
  ],
  check: async () => ({ current: {}, desired: {} }),
  apply: () => [],
})

export default definePlaybook({
  name: 'music',
  advice: { silence: { 'memory-near-limit': 'the playbook knows' } },
  params: z.strictObject({ first: z.number().default(10), silence: z.record(z.string(), z.string()).default({}) }),
  tasks: ({ first, silence }) => [
    loud({ level: first }, { label: 'first' }),
    tasks([loud({ level: 11 }, { label: 'second' })], { silence }),
    loud({ level: 12 }, { label: 'never', when: ({ facts }) => facts.cores < 0 }),
  ],
})
`
const config = `
import music from './music.ts'
export default { playbook: music, inventory: 'a,b,', advice: { silence: { 'too-loud': 'we like it' } } }
`
const quietly = ['./music.ts', '-n', '-i', 'localhost,']
const reason = 'silence={"too-loud":"it is the bass"}'

t.test('advice is brief, changes no exit code, and is not given of tasks that are not wanted', async t => {
  const { run } = await commandLine(t, { 'music.ts': source })
  const { code, stdout } = await run(...quietly)
  t.equal(code, 0)
  t.match(
    stdout,
    /\nadvice too-loud \(first\) {2}10 of 21 is too loud\n {2}rather: level: 9\nadvice too-loud \(second\)/,
  )
  t.notMatch(stdout, /a manual|never\)/)
  t.match((await run(...quietly, '-v')).stdout, /rather: level: 9\n {2}source: a manual\n/)
  t.notMatch((await run(...quietly, '-q')).stdout, /advice/)
  t.match((await run(...quietly, '-t', 'second')).stdout, /^(?!.*\(first\))[\s\S]*\(second\) {2}11 of 21/)
  t.match((await run(...quietly, '-e', 'first=66')).stdout, /breaks \(first\) {2}this check has a bug: /)
  const { advice } = Report.parse(JSON.parse((await run(...quietly, '--json')).stdout))
  const expected = { id: 'too-loud', host: 'localhost', message: '10 of 21 is too loud', suggestion: 'level: 9' }
  t.same(advice?.[0], { ...expected, task: 'first', source: 'a manual' })
})

t.test('it is silenced with a reason, on a task or for all, and an id that is none is refused', async t => {
  const { run } = await commandLine(t, { 'music.ts': source })
  const verbose = (await run(...quietly, '-v', '-e', reason)).stdout
  t.match(verbose, /1 piece of advice is silenced: too-loud \(it is the bass\)/)
  t.match(verbose, /too-loud \(first\)/)
  t.notMatch(verbose, /\(second\)/)
  const report = Report.parse(JSON.parse((await run(...quietly, '--json', '-e', reason)).stdout))
  t.same(report.silencedAdvice, [{ id: 'too-loud', host: 'localhost', task: 'second', reason: 'it is the bass' }])
  const misspelt = await run(...quietly, '-e', 'silence={"to-loud":"x"}')
  t.match(misspelt, { code: 1, stderr: /there is no advice "to-loud" to silence\n {2}hint: Did you mean too-loud\?/ })
  const all = await commandLine(t, { 'music.ts': source, 'sak.config.ts': config })
  t.notMatch((await all.run('-n', '-i', 'localhost,')).stdout, /advice/)
})
